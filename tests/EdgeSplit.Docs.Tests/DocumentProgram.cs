using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EdgeSplit.Docs.Tests;

/// <summary>Makes a program of a C# block and runs it in this process.</summary>
internal static class DocumentProgram
{
    // What a project with implicit usings sees, every namespace of EdgeSplit, and what pages about hosting take for granted.
    private static readonly string[] Namespaces =
    [
        "System", "System.Collections.Generic", "System.Collections.Immutable", "System.IO", "System.Linq", "System.Net", "System.Net.Http", "System.Threading", "System.Threading.Tasks",
        "System.Security.Cryptography.X509Certificates", "Microsoft.AspNetCore.Builder", "Microsoft.Extensions.DependencyInjection",
    ];

    private static readonly string[] Libraries =
        ["EdgeSplit.Core", "EdgeSplit.Onnx", "EdgeSplit.Transport", "EdgeSplit.Grpc", "EdgeSplit.Hosting", "EdgeSplit.OrTools", "EdgeSplit.ModelZoo", "EdgeSplit.Testing", "EdgeSplit.Testbed"];

    private static readonly Lazy<IReadOnlyList<MetadataReference>> References = new(static () =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(static path => MetadataReference.CreateFromFile(path))]);

    /// <summary>Compiles a block; fails with the compiler's messages.</summary>
    public static byte[] Compile(CodeBlock block)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        CompilationUnitSyntax code = CSharpSyntaxTree.ParseText(block.Code, options).GetCompilationUnitRoot();
        string statements = string.Concat(code.Members.OfType<GlobalStatementSyntax>().Select(static member => member.ToFullString()));
        string types = string.Concat(code.Members.Where(static member => member is not GlobalStatementSyntax).Select(static member => member.ToFullString()));
        CompilationUnitSyntax before = CSharpSyntaxTree.ParseText(block.Before, options).GetCompilationUnitRoot();
        string beforeStatements = string.Concat(before.Members.OfType<GlobalStatementSyntax>().Select(static member => member.ToFullString()));
        string beforeTypes = string.Concat(before.Members.Where(static member => member is not GlobalStatementSyntax).Select(static member => member.ToFullString()));
        IEnumerable<string> ours = Libraries.SelectMany(static library => Assembly.Load(library).GetExportedTypes()).Select(static type => type.Namespace!).Distinct();
        // A block that shows its usings gets no others, or it would not work as it stands.
        string usings = code.Usings.Any()
            ? code.Usings.ToFullString() + string.Concat(Namespaces.Take(9).Select(static name => $"global using {name};\n")) + before.Usings.ToFullString()
            : string.Concat(Namespaces.Concat(ours).Select(static name => $"using {name};\n")) + before.Usings.ToFullString();
        usings = string.Join('\n', usings.Split('\n').Distinct().OrderByDescending(static line => line.StartsWith("global", StringComparison.Ordinal)));
        string program = $"{usings}\n{beforeStatements}\n{statements}\n{block.After}\n_ = args;\n{beforeTypes}\n{types}";
        var compilation = CSharpCompilation.Create(
            $"Document{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(program, options)],
            References.Value,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var assembly = new MemoryStream();
        string[] errors = [.. compilation.Emit(assembly).Diagnostics.Where(static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(static diagnostic => diagnostic.ToString())];
        Assert.That(errors, Is.Empty, $"{block} does not compile as\n{program}");
        return assembly.ToArray();
    }

    /// <summary>Runs what was compiled, in the current folder.</summary>
    public static void Run(byte[] program, string[] arguments)
    {
        var context = new AssemblyLoadContext(null, isCollectible: true);
        try
        {
            Assembly assembly = context.LoadFromStream(new MemoryStream(program));
            assembly.EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, assembly.EntryPoint.GetParameters().Length == 0 ? null : [arguments], null);
        }
        finally
        {
            context.Unload();
        }
    }
}
