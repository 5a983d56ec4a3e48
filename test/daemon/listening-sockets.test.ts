import t, { type Test } from "tap";
import { defaults, type ServerOptions } from "../../config/options.ts";
import type { EventSink } from "../../daemon/events.ts";
import {
  openListeningSockets,
  wantedEndpoints,
  type ListeningSocket,
} from "../../daemon/listener/listening-sockets.ts";
import { closeFd } from "../../native/descriptors.ts";

class Recorded implements EventSink {
  readonly lines: string[] = [];
  event(level: string, _code: string, text: string): void {
    this.lines.push(`${level} ${text}`);
  }
}
const options = (some: Partial<ServerOptions>): ServerOptions => ({ ...defaults, ...some });
const loopback = { address: "127.0.0.1" };

function opened(
  t: Test,
  some: Partial<ServerOptions>,
  existing: readonly ListeningSocket[] = [],
): { sockets: ListeningSocket[]; lines: string[] } {
  const events = new Recorded();
  const sockets = openListeningSockets(options(some), existing, events);
  t.teardown(() => {
    for (const { fd } of sockets) if (!existing.some((socket) => socket.fd === fd)) closeFd(fd);
  });
  return { sockets, lines: events.lines };
}

t.test("openListeningSockets() says which port is taken, and opens the others", (t) => {
  const [taken] = opened(t, { listenAddress: [loopback], port: [0] }).sockets;
  const port = taken?.port ?? 0;
  const { sockets, lines } = opened(t, {
    listenAddress: [
      { ...loopback, port },
      { ...loopback, port: 0 },
    ],
  });
  t.equal(sockets.length, 1);
  t.equal(lines[0], `error Bind to port ${port} on 127.0.0.1 failed: Address already in use.`);
  t.match(lines[1], /^info Server listening on 127\.0\.0\.1 port \d+\.$/);
  t.end();
});

t.test("openListeningSockets() gives nothing when nothing could be opened", (t) => {
  const { sockets, lines } = opened(t, { listenAddress: [{ address: "192.0.2.1", port: 0 }] });
  t.same(sockets, []);
  t.match(lines, [
    /^error Bind to port 0 on 192\.0\.2\.1 failed: Cannot assign requested address\.$/,
  ]);
  t.end();
});

t.test("openListeningSockets() keeps what is wanted still and closes the rest", (t) => {
  const events = new Recorded();
  const before = openListeningSockets(
    options({
      listenAddress: [
        { ...loopback, port: 0 },
        { ...loopback, port: 0 },
      ],
    }),
    [],
    events,
  );
  const [kept] = before;
  if (kept === undefined) throw new Error("No socket");
  const { sockets } = opened(t, { listenAddress: [{ ...loopback, port: kept.port }] }, before);
  t.same(sockets, [kept]);
  t.throws(() => {
    closeFd(before[1]?.fd ?? -1);
  }, /EBADF/);
  closeFd(kept.fd);
  t.end();
});

t.test("wantedEndpoints() names every address with every port, each once", (t) => {
  t.same(wantedEndpoints(options({ port: [22, 2222] })), [
    { address: "0.0.0.0", port: 22 },
    { address: "::", port: 22 },
    { address: "0.0.0.0", port: 2222 },
    { address: "::", port: 2222 },
  ]);
  t.same(
    wantedEndpoints(
      options({
        port: [22],
        listenAddress: [loopback, { ...loopback, port: 22 }, { ...loopback, port: 23 }],
      }),
    ),
    [
      { address: "127.0.0.1", port: 22 },
      { address: "127.0.0.1", port: 23 },
    ],
  );
  t.end();
});

t.test("wantedEndpoints() leaves out addresses of the family that AddressFamily excludes", (t) => {
  const listenAddress = [{ address: "::1" }, loopback, { address: "" }];
  t.same(wantedEndpoints(options({ listenAddress, addressFamily: "inet6", port: [22] })), [
    { address: "::1", port: 22 },
    { address: "::", port: 22 },
  ]);
  t.same(wantedEndpoints(options({ listenAddress, addressFamily: "inet", port: [22] })), [
    { address: "127.0.0.1", port: 22 },
    { address: "0.0.0.0", port: 22 },
  ]);
  t.end();
});
