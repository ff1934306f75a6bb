"""sluice_fuzz_test: one libFuzzer entry, two lives.

    sluice_fuzz_test(
        name = "manifest_fuzz",                    # manifest_fuzz.cc
        corpus = glob(["corpus/manifest/**"]),
        deps = [":manifest"],
    )

In a plain `bazel test` it is linked with //tools:fuzz_replay, which feeds it every file of its corpus, every prefix of each, and some thousands
of mutations that are the same in every run. With `--config=fuzz` it is a real libFuzzer binary:

    bazel build --config=fuzz //destinations/archive/format:manifest_fuzz
    bazel-bin/destinations/archive/format/manifest_fuzz -max_total_time=600 NEW_FINDINGS destinations/archive/format/corpus/manifest

An input that was found to break something goes into the corpus with its fix.
"""

load("//tools:cc.bzl", "COPTS", "TEST_COPTS", "WERROR", "precompiled")

def sluice_fuzz_test(name, corpus, srcs = None, deps = [], **kwargs):
    """A fuzz target beside the parser that it tests.

    Args:
      name: ends in _fuzz; the source is <name>.cc and defines LLVMFuzzerTestOneInput.
      corpus: files, all below corpus/<name without _fuzz>.
      srcs: other sources than <name>.cc.
      deps: what the source includes.
      **kwargs: passed to cc_test.
    """
    if not corpus:
        fail("a fuzz target without a corpus proves nothing")
    pch_copts, pch_deps = precompiled("tests")
    native.cc_test(
        name = name,
        size = "small",
        srcs = srcs or [name + ".cc"],
        copts = COPTS + WERROR + TEST_COPTS + pch_copts,
        args = [
            "-max_total_time=60",
            native.package_name() + "/corpus/" + name[:-len("_fuzz")],
        ],
        data = corpus,
        linkopts = select({
            "@sluice//tools:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + pch_deps + select({
            "@sluice//tools:fuzzing": [],
            "//conditions:default": ["@sluice//tools:fuzz_replay"],
        }),
        **kwargs
    )
