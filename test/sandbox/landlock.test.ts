import t from "tap";
import { landlockLacks } from "../../sandbox/landlock.ts";

t.test("landlockLacks() names what each ABI does not restrict", (t) => {
  t.match(landlockLacks(1), [/^TCP/, /^ioctl/, /^signals/], "Debian 12's own kernel has 2");
  t.same(landlockLacks(2), landlockLacks(3));
  t.match(landlockLacks(4), [/^ioctl/, /^signals/]);
  t.match(landlockLacks(5), [/^signals/]);
  t.same(landlockLacks(6), []);
  t.same(
    landlockLacks(0),
    [],
    "without Landlock the whole layer is missing, which is told elsewhere",
  );
  t.end();
});
