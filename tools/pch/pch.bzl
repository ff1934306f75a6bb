"""cc_precompiled_header: a header that the compiler reads once for a whole build.

Two thirds of what a compile of ours costs are the standard library's and Abseil's headers, the same in each file. A target that depends on a
precompiled header and has `-include $(BINDIR)/<package>/<name>.h` in its copts reads them from the compiler's own dump instead; the compiler
ignores a dump that was made with other flags (GCC), or refuses it (Clang).

Both compilers look for <name>.h.gch beside <name>.h. See docs/adr/0022-fewer-and-smaller-compiles.md.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _cc_precompiled_header_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        # A dump belongs to no target that could declare what it includes.
        unsupported_features = ctx.disabled_features + ["layering_check", "module_maps"],
    )
    header = ctx.actions.declare_file(ctx.label.name + ".h")
    dump = ctx.actions.declare_file(ctx.label.name + ".h.gch")
    ctx.actions.write(header, "".join(["#include %s\n" % name for name in ctx.attr.includes]))

    # To Clang this check is part of the language, which must be the same in a dump and in its user.
    checked = cc_common.configure_features(ctx = ctx, cc_toolchain = toolchain, requested_features = ctx.features)
    strict = ["-fmodules-strict-decluse"] if cc_common.is_enabled(feature_configuration = checked, feature_name = "layering_check") else []

    cpp = ctx.fragments.cpp
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = ACTION_NAMES.cpp_compile,
        variables = cc_common.create_compile_variables(
            feature_configuration = features,
            cc_toolchain = toolchain,
            user_compile_flags = cpp.copts + cpp.cxxopts + ctx.attr.copts + strict,
            use_pic = True,
        ),
    )
    # A header that was installed anew, byte for byte the same, is no other header.
    timeless = ["-Xclang", "-fno-pch-timestamp"]

    compiler = cc_common.get_tool_for_action(feature_configuration = features, action_name = ACTION_NAMES.cpp_compile)
    ctx.actions.run_shell(
        mnemonic = "CppPrecompile",
        progress_message = "Precompiling %s" % ctx.label,
        command = '"$@" < ' + header.path,
        # Clang notes where a file lay, which is another place in each sandbox; GCC takes nothing but a file.
        arguments = [compiler] + flags + (timeless + ["-x", "c++-header", "-"] if "clang" in compiler else ["-x", "c++-header", header.path]) + ["-o", dump.path],
        inputs = depset([header], transitive = [toolchain.all_files]),
        outputs = [dump],
        use_default_shell_env = True,
    )
    return [
        DefaultInfo(files = depset([header, dump])),
        CcInfo(compilation_context = cc_common.create_compilation_context(headers = depset([header, dump]))),
    ]

cc_precompiled_header = rule(
    implementation = _cc_precompiled_header_impl,
    attrs = {
        "copts": attr.string_list(doc = "Those of the targets that include it, as far as they change what a header means."),
        "includes": attr.string_list(doc = "What stands after each #include: <vector> or \"absl/status/status.h\"."),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
