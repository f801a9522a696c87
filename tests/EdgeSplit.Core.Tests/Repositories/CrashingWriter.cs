using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Repositories;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Repositories;

/// <summary>
/// A process that writes to a repository without end, and says what is done: <c>+NAME</c> for a model, <c>+NAME ID</c> for a
/// partition, <c>+NAME deployed</c> for a deployment, <c>-NAME</c> before a model is replaced or removed, each with a full stop.
/// </summary>
internal static class CrashingWriter
{
    private const string Verb = "write-repository";

    public static FakeModel Model { get; } = FakeModelBuilder.Chain("m", 6, width: 64);

    /// <summary>Starts this assembly as a process of its own.</summary>
    public static Process Start(string repository, string source, int seed) => Process.Start(new ProcessStartInfo
    {
        FileName = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet",
        ArgumentList = { "exec", typeof(CrashingWriter).Assembly.Location, Verb, repository, source, seed.ToString() },
        RedirectStandardOutput = true,
        // A runtime that is killed would leave the pipes of its debugger behind.
        Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
    })!;

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [Verb, string folder, string source, string seed])
            return 2;
        var random = new Random(int.Parse(seed));
        FolderModelRepository repository = await FolderModelRepository.OpenAsync(folder);
        Directory.CreateDirectory(source);
        for (int i = 0; ; i++)
        {
            string name = $"m{random.Next(4)}";
            Console.Out.WriteLine($"-{name}.");
            if (random.Next(4) == 0)
            {
                await repository.RemoveModelAsync(name, default);
                continue;
            }
            string path = Path.Combine(source, "model.bin");
            await File.WriteAllTextAsync(path, $"{seed} {i}");
            await repository.AddModelAsync(name, path, [], default);
            Console.Out.WriteLine($"+{name}.");
            await repository.SetDeploymentAsync(new StoredDeployment(name, ImmutableSortedDictionary<string, string>.Empty.Add("layer", i.ToString())), default);
            Console.Out.WriteLine($"+{name} deployed.");
            for (int k = 0; k < 3; k++)
            {
                int first = random.Next(5);
                var partition = Model.Extract([first, first + 1]);
                await repository.AddPartitionAsync(name, partition, Model, default);
                Console.Out.WriteLine($"+{name} {partition.Id}.");
            }
        }
    }

    /// <summary>Follows what the writer says.</summary>
    public static void Apply(this HashSet<string> acknowledged, string? line)
    {
        // A line without its full stop was cut short by the kill.
        if (line is not ['+' or '-', .. string what, '.'])
            return;
        if (line[0] == '+')
            acknowledged.Add(what);
        else
            acknowledged.RemoveWhere(item => item == what || item.StartsWith(what + " ", StringComparison.Ordinal));
    }
}
