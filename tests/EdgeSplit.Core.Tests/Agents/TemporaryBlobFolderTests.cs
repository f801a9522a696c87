using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Tests.Agents;

public sealed class TemporaryBlobFolderTests
{
    [Test]
    public void Constructor_deletes_the_folders_of_agents_that_were_killed_and_of_no_others()
    {
        // Not the system's folder, where agents of other test runs delete leftovers too.
        using var parent = new TemporaryFolder();
        var living = new TemporaryBlobFolder(parent.Path);
        string killed = Directory.CreateDirectory(parent["edgesplit-agent-killed"]).FullName;
        string stranger = Directory.CreateDirectory(parent["edgesplit-agent-stranger"]).FullName;
        File.WriteAllText(Path.Combine(killed, "lock"), "");
        new TemporaryBlobFolder(parent.Path).Dispose();
        Assert.That(Directory.GetDirectories(parent.Path), Is.EquivalentTo(new[] { stranger, Path.GetDirectoryName(living.Store.Folder) }));
        living.Dispose();
        Assert.That(Directory.GetDirectories(parent.Path), Is.EqualTo(new[] { stranger }));
    }
}
