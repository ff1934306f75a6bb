"""Sluice's C++ targets: C++20 and our warnings set by the target itself, headers reachable as "sluice/<path>" here and in a consumer alike."""

COPTS = [
    "-std=c++20",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wimplicit-fallthrough",
    "-Wno-unused-parameter",
]

# Warnings stop a build only here: a consumer's newer compiler may know more of them.
WERROR = select({
    "@sluice//tools:consumer": [],
    "//conditions:default": ["-Werror"],
})

# A test's own code is seldom what takes time when it runs; to optimise it took two thirds of its compile.
TEST_COPTS = [
    "-O0",
    "-U_FORTIFY_SOURCE",
]

# In a consumer's workspace nothing is precompiled: it may have other headers than ours.
_AT_HOME = not Label("//tools:cc.bzl").workspace_root

def precompiled(name):
    """(copts, deps) that compile a target with //tools/pch:<name>."""
    if not _AT_HOME:
        return [], []
    return [
        "-Winvalid-pch",
        "-include",
        "$(BINDIR)/tools/pch/%s.h" % name,
        # In code of a dump that it has inlined GCC 12 sees strings' bounds passed that are not (its bug 105651). Clang knows not all of these.
        "-Wno-unknown-warning-option",
        "-Wno-array-bounds",
        "-Wno-restrict",
        "-Wno-stringop-overflow",
        "-Wno-stringop-overread",
    ], ["//tools/pch:" + name]

def _if_joined(then, otherwise):
    return select({"@sluice//tools:apart": otherwise, "//conditions:default": then})

def _joined(name, srcs):
    """(srcs, copts, deps) of a target whose sources are compiled as one, as docs/adr/0022-fewer-and-smaller-compiles.md says."""
    sources = [src for src in srcs if src.endswith(".cc")]
    if len(sources) < 2:
        return srcs, [], []
    native.genrule(
        name = name + "_joined",
        outs = [name + "_joined.cc"],
        cmd = "for source in %s; do echo \"#include \\\"%s/$$source\\\"\"; done > $@" % (" ".join(sources), native.package_name()),
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name + "_sources",
        textual_hdrs = sources,
        visibility = ["//visibility:private"],
    )

    return (
        _if_joined([name + "_joined.cc"] + [src for src in srcs if src not in sources], srcs),
        # GCC takes a source that is included for a header.
        _if_joined(["-Wno-unknown-warning-option", "-Wno-subobject-linkage"], []),
        _if_joined([":" + name + "_sources"], []),
    )

def sluice_cc_library(name, hdrs = [], srcs = [], copts = [], deps = [], suite = False, **kwargs):
    """A cc_library whose headers are included as "sluice/<package>/<header>".

    Args:
      name: of the target.
      hdrs: its headers.
      srcs: its sources.
      copts: beside ours.
      deps: what they include.
      suite: the sources are tests, compiled as those are.
      **kwargs: passed to cc_library.
    """
    if suite:
        copts = copts + TEST_COPTS
    pch_copts, pch_deps = precompiled("tests" if suite else "common") if srcs else ([], [])
    joined_srcs, joined_copts, joined_deps = _joined(name, srcs)
    native.cc_library(
        name = name,
        hdrs = hdrs,
        srcs = joined_srcs,
        copts = COPTS + WERROR + copts + pch_copts + joined_copts,
        deps = deps + pch_deps + joined_deps,
        include_prefix = "sluice/" + native.package_name() if hdrs else None,
        strip_include_prefix = "/" + native.package_name() if hdrs else None,
        **kwargs
    )

def sluice_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = COPTS + WERROR + copts, **kwargs)

def sluice_cc_test(name, srcs = None, copts = [], deps = [], size = "small", one_thread = False, sampled = False, tags = [], **kwargs):
    """A cc_test of gtest, its sources compiled as one.

    Args:
      name: of the target.
      srcs: its sources; name.cc by default.
      copts: beside ours.
      deps: what they include.
      size: as of any test.
      one_thread: it never has another: ThreadSanitizer leaves it out, and without a sanitizer starting one ends it.
      sampled: a sanitizer's build runs one of its cases in so many, and each day others.
      tags: as of any test.
      **kwargs: passed to cc_test.
    """
    if sampled:
        deps = deps + ["//base/testing:sampled"]
    if one_thread:
        tags = tags + ["notsan"]
        deps = deps + select({
            "//tools:asan": [],
            "//tools:tsan": [],
            "//tools:fuzzing": [],
            "//conditions:default": ["//base/testing:one_thread"],
        })
    pch_copts, pch_deps = precompiled("tests")
    joined_srcs, joined_copts, joined_deps = _joined(name, srcs or [name + ".cc"])
    native.cc_test(
        name = name,
        srcs = joined_srcs,
        copts = COPTS + WERROR + TEST_COPTS + copts + pch_copts + joined_copts,
        size = size,
        tags = tags,
        deps = deps + ["@com_google_googletest//:gtest_main"] + pch_deps + joined_deps,
        **kwargs
    )

def sluice_plugin(name, deps = [], copts = [], **kwargs):
    """sluice-<role>-<kind>.so: exports `sluice_plugin` and nothing else.

        sluice_plugin(name = "sluice-source-orders", srcs = ["plugin.cc"], deps = [":factory", "//plugins/sdk"])

    Args:
      name: the file's name without ".so".
      deps: what plugin.cc, which says SLUICE_EXPORT_PLUGIN(...), needs.
      copts: beside ours.
      **kwargs: passed to cc_binary: srcs, data, visibility, ...
    """
    native.cc_binary(
        name = name + ".so",
        copts = COPTS + WERROR + copts,
        linkshared = True,
        deps = deps,
        additional_linker_inputs = ["@sluice//plugins/abi:exports.lds"],
        # gold, which Bazel picks where it finds it, exports weak symbols of the standard library past a version script's `local: *`. bfd does not, and
        # does not know --start-lib.
        features = ["-supports_start_end_lib"],
        linkopts = [
            "-Wl,--version-script=$(location @sluice//plugins/abi:exports.lds)",
            "-fuse-ld=bfd",
        ],
        **kwargs
    )
