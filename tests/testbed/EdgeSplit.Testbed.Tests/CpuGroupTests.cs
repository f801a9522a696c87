using EdgeSplit.Testbed.Internal;

namespace EdgeSplit.Testbed.Tests;

/// <summary>What is written where, in folders that stand for the kernel's: a machine has one of the versions only.</summary>
internal sealed class CpuGroupTests
{
    private DirectoryInfo _root = null!;

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("edgesplit-cgroup-");

    [TearDown]
    public void DeleteFolder() => _root.Delete(recursive: true);

    [Test]
    public void Limit_version2_writesQuotaAndPeriodInOne()
    {
        Write("cgroup.controllers", "cpuset cpu io memory\n");
        CpuGroups groups = CpuGroups.FindIn(_root.FullName)!;
        var group = new CpuGroup(groups, "edgesplit-test");
        Assert.That(groups.IsUnified);
        Assert.That(Read("cgroup.subtree_control"), Is.EqualTo("+cpu"));
        Assert.That(Read("edgesplit-test/cpu.max"), Is.EqualTo("max 10000"));
        group.Limit(0.25);
        Assert.That(Read("edgesplit-test/cpu.max"), Is.EqualTo("2500 10000"));
        Assert.That(groups.Find("edgesplit-"), Has.Exactly(1).EqualTo(Path.GetDirectoryName(group.ProcessesFile)));
    }

    [Test]
    public void Limit_version1_writesQuotaAndPeriod()
    {
        Directory.CreateDirectory(Path.Combine(_root.FullName, "cpu"));
        Write("cpu/cgroup.procs", "");
        CpuGroups groups = CpuGroups.FindIn(_root.FullName)!;
        var group = new CpuGroup(groups, "edgesplit-test");
        Assert.That(groups.IsUnified, Is.False);
        Assert.That(Read("cpu/edgesplit-test/cpu.cfs_quota_us"), Is.EqualTo("-1"));
        group.Limit(2);
        Assert.That(Read("cpu/edgesplit-test/cpu.cfs_quota_us"), Is.EqualTo("20000"));
        Assert.That(Read("cpu/edgesplit-test/cpu.cfs_period_us"), Is.EqualTo("10000"));
    }

    [Test]
    public void FindIn_noProcessorController_findsNone()
    {
        Write("cgroup.controllers", "io memory\n");
        Assert.That(CpuGroups.FindIn(_root.FullName), Is.Null);
    }

    private void Write(string file, string content) => File.WriteAllText(Path.Combine(_root.FullName, file), content);

    private string Read(string file) => File.ReadAllText(Path.Combine(_root.FullName, file));
}
