namespace EdgeSplit.Benchmarks;

/// <summary>Starts this program again, for what has to run in a process of its own.</summary>
internal static class SelfStart
{
    /// <summary>The command and its arguments: <c>dotnet</c> and this assembly, however this process was started.</summary>
    public static string[] Command(params string[] arguments) => ["dotnet", typeof(SelfStart).Assembly.Location, .. arguments];
}
