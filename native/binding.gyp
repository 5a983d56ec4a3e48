{
  # node-gyp rebuild -C native -- -Dsanitize=1 builds with ASan and UBSan. Node itself is not, so the tests then want
  # LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0:handle_segv=0
  "variables": { "sanitize%": 0 },
  "targets": [
    {
      "target_name": "sallyport",
      "includes": ["target.gypi"],
      "sources": ["<!@(ls src/*.cc)"],
    },
    {
      # What escape attempts need: tools/sandbox loads it, the server never does.
      "target_name": "sallyport-prove",
      "includes": ["target.gypi"],
      "sources": ["<!@(ls prove/*.cc)"],
    },
  ],
}
