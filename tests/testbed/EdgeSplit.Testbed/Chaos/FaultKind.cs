namespace EdgeSplit.Testbed.Chaos;

/// <summary>What can happen to an agent.</summary>
public enum FaultKind
{
    /// <summary>Its process is killed (<c>kill -9</c>), and started again when others have taken its place.</summary>
    Kill,

    /// <summary>Its process is stopped (<c>SIGSTOP</c>), and goes on when others have taken its place.</summary>
    Stop,

    /// <summary>Its process is killed and started again at once.</summary>
    Restart,

    /// <summary>Its link lets nothing through until others have taken its place.</summary>
    Cut,

    /// <summary>Its link is choked to a fiftieth for some seconds.</summary>
    Choke,
}
