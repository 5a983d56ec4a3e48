# Names what failed in the TAP of one or more test files, one line each: FILE > CASE > the assertion, with its place.
# A case is a test inside a file (four spaces in); a file that fails without a failed case (a crash, a timeout) is one line of its own.
function name(line) {
  sub(/^ *(not ok [0-9]+ - |# Subtest: )/, "", line)
  sub(/ # time=.*$/, "", line)
  return line
}
/^# Subtest: / { file = name($0); cases = 0; detail = "" }
/^    # Subtest: / { detail = "" }
# The first assertion that failed is why; what is around it fails with it. Its place is the first fileName and lineNumber that follow.
/^        +not ok / && detail == "" { detail = " > " name($0); place = 1 }
place && /^ +fileName: / { where = $2 }
place && /^ +lineNumber: / { detail = detail " (" where ":" $2 ")"; place = 0 }
/^    not ok / { print "failed: " file " > " name($0) detail; cases++; detail = ""; place = 0 }
/^not ok / { if (cases == 0) print "failed: " file " > the file, not one of its cases: it crashed or took too long"; cases = 0 }
