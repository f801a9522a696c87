namespace EdgeSplit.Hosting;

/// <summary>How far a model of an application is at one moment.</summary>
/// <param name="Name">The name under which it is served.</param>
/// <param name="State">How far it is.</param>
/// <param name="Reason">Why it is not served; empty where it is.</param>
public sealed record ModelStatus(string Name, ModelState State, string Reason);
