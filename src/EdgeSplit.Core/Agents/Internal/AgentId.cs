using System.Buffers;

namespace EdgeSplit.Agents.Internal;

/// <summary>The rules for the ids of agents: they stand in file names, tables, logs and on the wire.</summary>
internal static class AgentId
{
    private const int MaximumLength = 64;
    private static readonly SearchValues<char> Allowed = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.");

    public static string Checked(string id, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(id))] string? parameter = null)
    {
        ArgumentNullException.ThrowIfNull(id, parameter);
        if (id.Length is 0 or > MaximumLength || id.AsSpan().ContainsAnyExcept(Allowed))
            throw new ArgumentException($"'{id}' is no agent id; use 1 to {MaximumLength} letters, digits, '-', '_' and '.'.", parameter);
        return id;
    }
}
