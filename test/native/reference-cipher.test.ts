import t from "tap";
import { poly1305 } from "../../fuzz/server/reference-cipher.ts";

t.test("poly1305() of the reference gives the tag of RFC 8439 section 2.5.2", (t) => {
  const key = Buffer.from(
    "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    "hex",
  );
  const tag = poly1305(key, Buffer.from("Cryptographic Forum Research Group"));
  t.equal(tag.toString("hex"), "a8061dc1305136c6c22b8baf0c0127a9");
  t.end();
});
