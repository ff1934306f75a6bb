"""The source of the examples in public headers' comments."""

def _header_examples_impl(ctx):
    headers = {}
    for library, names in ctx.attr.libraries.items():
        wanted = names.split(" ")
        for header in library[CcInfo].compilation_context.direct_public_headers:
            # .../_virtual_includes/error/sluice/base/error.h
            if "/_virtual_includes/" not in header.path:
                continue
            name = header.path.partition("/_virtual_includes/")[2].partition("/sluice/")[2]
            if names == "*" or header.basename in wanted:
                headers[name] = header
                wanted = [other for other in wanted if other != header.basename]
        if names != "*" and wanted:
            fail("%s has no %s" % (library.label, " ".join(wanted)))
    out = ctx.actions.declare_file(ctx.label.name + ".cc")
    ctx.actions.run(
        executable = ctx.file._extract,
        arguments = [
            "--presumed=" + ctx.file.presumed.path,
            "--without=" + ",".join(ctx.attr.without),
            "--out=" + out.path,
        ] + ["%s=%s" % (header.path, name) for name, header in headers.items()],
        inputs = headers.values() + [ctx.file.presumed],
        outputs = [out],
        mnemonic = "HeaderExamples",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]))]

header_examples = rule(
    implementation = _header_examples_impl,
    attrs = {
        "libraries": attr.label_keyed_string_dict(
            mandatory = True,
            providers = [CcInfo],
            doc = "The libraries, each with its public headers: \"*\", or names with spaces between.",
        ),
        "presumed": attr.label(
            mandatory = True,
            allow_single_file = True,
            doc = "Declarations that examples may use without showing them, by header.",
        ),
        "without": attr.string_list(doc = "Public headers that need no example."),
        "_extract": attr.label(
            default = "extract.py",
            allow_single_file = True,
        ),
    },
)
