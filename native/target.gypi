# How both modules are compiled.
{
  "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS", "_GNU_SOURCE"],
  "cflags!": ["-fno-exceptions"],
  "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-std=gnu++20"],
  "cflags_cc": [
    "-std=c++20",
    "-fexceptions",
    # Ours are held to the flags below; those of others are not ours to mend.
    "-isystem", "<(node_root_dir)/include/node",
    "-isystem", "<(module_root_dir)/../node_modules/node-addon-api",
    "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wformat=2",
    # GCC 12 sees overlaps in std::string's operator+ that are not there (its bug 105329).
    "-Wno-restrict",
    "-fstack-protector-strong", "-fvisibility=hidden",
  ],
  "ldflags": ["-Wl,-z,relro,-z,now"],
  "conditions": [
    ["sanitize==1", {
      "cflags_cc": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g"],
      "ldflags": ["-fsanitize=address,undefined"],
    }, {
      "cflags_cc": ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"],
    }],
  ],
}
