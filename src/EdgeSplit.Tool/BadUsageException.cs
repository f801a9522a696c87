namespace EdgeSplit.Tool;

/// <summary>Options that parse one by one but make no sense together; ends the command with exit code 2.</summary>
internal sealed class BadUsageException(string message) : Exception(message);
