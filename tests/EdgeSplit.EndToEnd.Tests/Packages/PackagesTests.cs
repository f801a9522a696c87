using System.IO.Compression;
using System.Xml.Linq;
using EdgeSplit.Agents;
using EdgeSplit.EndToEnd.Tests.Processes;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tests;
using EdgeSplit.Transport;

namespace EdgeSplit.EndToEnd.Tests.Packages;

/// <summary>Packs the libraries as they were built for this run, looks into the packages, and uses them from a fresh application.</summary>
[NonParallelizable]
internal sealed class PackagesTests
{
    private static readonly string[] Libraries = ["EdgeSplit.Core", "EdgeSplit.Grpc", "EdgeSplit.Hosting", "EdgeSplit.Onnx", "EdgeSplit.OrTools", "EdgeSplit.Transport"];

    // A version of its own: the machine's package cache never gives back an older build.
    private static readonly string Version = $"0.0.0-test{Environment.ProcessId}x{DateTime.UtcNow.Ticks}";

    [Test]
    public async Task Pack_libraries_givesCompletePackagesThatAFreshApplicationRunsOn()
    {
        using var folder = new TemporaryFolder();
        string feed = folder["feed"];
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        // One process for all: starting the SDK takes longer than packing.
        await File.WriteAllTextAsync(folder["pack.proj"], $"""
            <Project>
              <ItemGroup>
                <Packed Include="{string.Join(';', ((string[])[.. Libraries, "EdgeSplit.Tool"]).Select(static library => Path.Combine(RepositoryRoot.Path, "src", library, $"{library}.csproj")))}" />
              </ItemGroup>
              <Target Name="Pack">
                <MSBuild Projects="@(Packed)" Targets="Pack" Properties="NoBuild=true;Configuration={configuration};PackageOutputPath={feed};Version={Version}" />
              </Target>
            </Project>
            """);
        await DotnetAsync(folder.Path, "msbuild", folder["pack.proj"], "-t:Pack", "-nodeReuse:false");
        using (Assert.EnterMultipleScope())
        {
            foreach (string library in Libraries)
                CheckPackage(Path.Combine(feed, $"{library}.{Version}.nupkg"), library);
        }

        string application = folder["app"];
        Directory.CreateDirectory(application);
        string runtimeVersion = XDocument.Load(Path.Combine(RepositoryRoot.Path, "Directory.Packages.props")).Descendants("PackageVersion")
            .Single(element => (string?)element.Attribute("Include") == "Microsoft.ML.OnnxRuntime").Attribute("Version")!.Value;
        await File.WriteAllTextAsync(Path.Combine(application, "app.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="EdgeSplit.Onnx" Version="{Version}" />
                <PackageReference Include="EdgeSplit.Transport" Version="{Version}" />
                <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{runtimeVersion}" />
              </ItemGroup>
            </Project>
            """);
        // Our packages come from the folder and are unpacked beside it; all others are taken where they are already.
        await File.WriteAllTextAsync(Path.Combine(application, "nuget.config"), $"""
            <configuration>
              <config>
                <add key="globalPackagesFolder" value="{folder["packages"]}" />
              </config>
              <fallbackPackageFolders>
                <clear />
                <add key="cache" value="{PackageCache}" />
              </fallbackPackageFolders>
              <packageSources>
                <clear />
                <add key="folder" value="{feed}" />
                <add key="nuget.org" value="https://api.nuget.org/v3/index.json" protocolVersion="3" />
              </packageSources>
            </configuration>
            """);
        string model = folder["resnet18.onnx"];
        ModelZoo.Zoo.Get("resnet18").Write(model);
        await File.WriteAllTextAsync(Path.Combine(application, "Program.cs"), ReadmeSnippets.Read("in-process"));
        Assert.That(await DotnetAsync(application, "run", "--", model), Does.Contain("[1, 1000]"));

        await using var agent = new EdgeAgent("readme-agent", new OnnxPartitionRuntime());
        await using var server = new AgentServer(agent);
        await server.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(application, "Program.cs"), ReadmeSnippets.Read("remote-agent"));
        Assert.That(await DotnetAsync(application, "run", "--", HostAndPort.Format(server.EndPoint)), Does.Contain("readme-agent"));
    }

    private static string PackageCache => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static void CheckPackage(string path, string library)
    {
        using ZipArchive package = ZipFile.OpenRead(path);
        string[] files = [.. package.Entries.Select(static entry => entry.FullName)];
        Assert.That(files, Does.Contain("README.md").And.Contain("icon.png"), library);
        Assert.That(files, Does.Contain($"lib/net10.0/{library}.dll"), library);
        Assert.That(files, Does.Contain($"lib/net10.0/{library}.xml"), library);
        Assert.That(files.Where(static file => file.EndsWith(".pdb", StringComparison.Ordinal)), Is.Empty, library);
        using Stream stream = package.GetEntry($"{library}.nuspec")!.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single(static element => element.Name.LocalName == "metadata");
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.That(Value("license"), Is.EqualTo("MIT"), library);
        Assert.That(Value("readme"), Is.EqualTo("README.md"), library);
        Assert.That(Value("icon"), Is.EqualTo("icon.png"), library);
        Assert.That(Value("description"), Is.Not.Empty, library);
        using ZipArchive symbols = ZipFile.OpenRead(Path.ChangeExtension(path, "snupkg"));
        Assert.That(symbols.Entries.Select(static entry => entry.FullName), Does.Contain($"lib/net10.0/{library}.pdb"), library);
    }

    private static async Task<string> DotnetAsync(string workingDirectory, params string[] arguments)
    {
        DotnetProcess.Outcome outcome = await DotnetProcess.RunAsync(TimeSpan.FromMinutes(5), arguments, workingDirectory);
        Assert.That(outcome.ExitCode, Is.Zero, $"dotnet {string.Join(' ', arguments)}\n{outcome.Output}\n{outcome.Error}");
        return outcome.Output;
    }
}
