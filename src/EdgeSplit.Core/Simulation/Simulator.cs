using EdgeSplit.Coordination;
using EdgeSplit.Models;
using EdgeSplit.Simulation.Internal;

namespace EdgeSplit.Simulation;

/// <summary>
/// Lets the coordinator that serves for real serve a scenario in virtual time, with agents that take the time that their
/// devices and links would take and compute nothing: to see what a fleet, a policy or a cost model would do, in seconds.
/// </summary>
/// <remarks>
/// The clock goes on when the process's thread pool has nothing to do; other work in the process slows a simulation down, and
/// two at the same time must not run in one process. The same scenario gives the same course; where several requests are let go at
/// the same instant, as when a lost agent's requests run again, which of them a device serves first is not settled.
/// </remarks>
/// <param name="scenario">What to play.</param>
/// <param name="graph">The model; only its sizes and operations count.</param>
/// <param name="options">The coordinator's options, its clock excepted; defaults where null.</param>
public sealed class Simulator(Scenario scenario, ModelGraph graph, CoordinatorOptions? options = null)
{
    private static int _isRunning;

    /// <summary>Plays the scenario.</summary>
    /// <param name="progress">Told the simulated time that has passed.</param>
    /// <param name="cancellationToken">Stops the simulation.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the scenario is none;
    /// <see cref="EdgeSplitError.NoFeasiblePlan"/>: the devices cannot run the model when the scenario starts.</exception>
    /// <exception cref="InvalidOperationException">A simulation runs in this process already.</exception>
    public async Task<SimulationReport> RunAsync(IProgress<TimeSpan>? progress = null, CancellationToken cancellationToken = default)
    {
        ScenarioChecks.Check(scenario);
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            throw new InvalidOperationException("A simulation runs in this process already; they wait for the same thread pool to be idle, so run one after the other.");
        try
        {
            // A thread of its own: one of the pool's would count as busy.
            var ended = new TaskCompletionSource<SimulationReport>(TaskCreationOptions.RunContinuationsAsynchronously);
            var thread = new Thread(() =>
            {
                try
                {
                    ended.SetResult(new SimulationRun(scenario, graph, options ?? new CoordinatorOptions()).Run(progress, cancellationToken));
                }
                catch (OperationCanceledException)
                {
                    ended.SetCanceled(cancellationToken);
                }
                catch (Exception exception)
                {
                    ended.SetException(exception);
                }
            })
            {
                IsBackground = true,
                Name = "EdgeSplit simulation",
            };
            thread.Start();
            return await ended.Task.ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }
}
