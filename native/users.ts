// The passwd and group databases through NSS (a synchronous call; the modules are loaded by the first one).
import { addon } from "./addon.ts";

export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
  gecos: string;
  /** `pw_passwd`: "x" where shadow is in use. */
  password: string;
}
export interface ShadowEntry {
  hash: string;
  /** Days since 1970; -1 where unset. */
  lastChange: number;
  maxDays: number;
  inactiveDays: number;
  expires: number;
}
const raw = addon as unknown as {
  userByName: (name: string) => PasswdEntry | null;
  userById: (uid: number) => PasswdEntry | null;
  groupsOf: (name: string, gid: number) => number[];
  groupName: (gid: number) => string | null;
  groupByName: (name: string) => number | null;
  shadowOf: (name: string) => ShadowEntry | null;
};

/** `getpwnam_r`. Null when there is none; an error of the service throws. */
export const userByName = raw.userByName;
export const userById = raw.userById;
/** `getgrouplist`: all groups, the primary one first. */
export const groupsOf = raw.groupsOf;
export const groupName = raw.groupName;
/** gid, or null. */
export const groupByName = raw.groupByName;
/** `getspnam_r`; null without an entry or without leave to read. */
export const shadowOf = raw.shadowOf;
