using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Tool.Serving;

/// <summary>Leaves the process's signals to the command line.</summary>
internal sealed class CommandLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
