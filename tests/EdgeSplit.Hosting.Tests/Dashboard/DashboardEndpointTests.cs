using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using EdgeSplit.Hosting.Dashboard;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Hosting.Tests.Dashboard;

/// <summary>Who may see and do what.</summary>
internal sealed class DashboardEndpointTests
{
    [Test]
    public async Task Page_hasAStrictPolicy_andItsFilesAreThere()
    {
        await using DashboardSystem system = await DashboardSystem.StartAsync(null);
        using var client = new HttpClient { BaseAddress = new Uri(system.Address) };
        // Without the slash, too.
        using HttpResponseMessage page = await client.GetAsync(system.Address.TrimEnd('/'));
        string policy = string.Concat(page.Headers.GetValues("Content-Security-Policy"));
        Assert.That(policy, Does.StartWith("default-src 'none'").And.Contain("script-src 'self';").And.Not.Contain("unsafe"));
        string html = await page.Content.ReadAsStringAsync();
        foreach (string file in (string[])["page.css", "dashboard.css", "page.js", "graph.js", "charts.js", "dashboard.js"])
        {
            Assert.That(html, Does.Contain($"\"{file}\""));
            Assert.That((await client.GetAsync(file)).StatusCode, Is.EqualTo(HttpStatusCode.OK), file);
        }
        Assert.That(html, Does.Not.Contain("http"));
    }

    [TestCase(null, DashboardSystem.Token, HttpStatusCode.Unauthorized)]
    [TestCase(DashboardSystem.Token, null, HttpStatusCode.Unauthorized)]
    [TestCase(DashboardSystem.Token, "another token of a test", HttpStatusCode.Unauthorized)]
    [TestCase(DashboardSystem.Token, DashboardSystem.Token, HttpStatusCode.NoContent)]
    public async Task Actions_needTheToken(string? token, string? sent, HttpStatusCode expected)
    {
        await using DashboardSystem system = await DashboardSystem.StartAsync(token);
        using var client = new HttpClient { BaseAddress = new Uri(system.Address) };
        if (sent is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", sent);
        Assert.That((await client.PostAsync("api/agents/camera/drain", null)).StatusCode, Is.EqualTo(expected));
        Assert.That((await client.PostAsync("api/models/chain/repartition", null)).StatusCode, Is.EqualTo(expected));
        Assert.That((await client.PostAsJsonAsync("api/models", new { model = "chain", name = "again" })).StatusCode, Is.EqualTo(expected));
        Assert.That((await client.DeleteAsync("api/models/chain")).StatusCode, Is.EqualTo(expected));
        Assert.That(system.Coordinator.Deployments.Select(static deployment => deployment.Name), Is.EqualTo(expected == HttpStatusCode.NoContent ? ["again"] : new[] { "chain" }));
    }

    [Test]
    public async Task Failures_tellWhy()
    {
        await using DashboardSystem system = await DashboardSystem.StartAsync(DashboardSystem.Token);
        using var client = new HttpClient { BaseAddress = new Uri(system.Address) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", DashboardSystem.Token);
        using HttpResponseMessage unknown = await client.PostAsync("api/agents/nobody/drain", null);
        Assert.That(unknown.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await unknown.Content.ReadAsStringAsync(), Does.Contain("nobody"));
        using HttpResponseMessage twice = await client.PostAsJsonAsync("api/models", new { model = "chain" });
        Assert.That(twice.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
        foreach (string text in (string[])["", "{}", "no JSON", """{"model": null}"""])
        {
            using HttpResponseMessage unclear = await client.PostAsync("api/models", new StringContent(text));
            Assert.That(unclear.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), text);
            Assert.That(await unclear.Content.ReadAsStringAsync(), Does.Contain("error"));
        }
    }

    [TestCase("192.0.2.1", null, null, false, false)]
    [TestCase("192.0.2.1", DashboardSystem.Token, null, false, false)]
    [TestCase("192.0.2.1", DashboardSystem.Token, DashboardSystem.Token, false, true)]
    [TestCase("192.0.2.1", null, null, true, true)]
    [TestCase("127.0.0.1", DashboardSystem.Token, null, false, true)]
    [TestCase("::ffff:127.0.0.1", null, null, false, true)]
    public void Seeing_isForThisMachineOrTheToken(string caller, string? token, string? sent, bool allowsRemote, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(caller);
        if (sent is not null)
            context.Request.Headers.Authorization = $"Bearer {sent}";
        var guard = new DashboardGuard(new DashboardOptions { Token = token, DangerouslyAllowRemoteViewers = allowsRemote });
        Assert.That(guard.RefusalToSee(context) is null, Is.EqualTo(expected));
    }

    [TestCase("localhost:8000", true)]
    [TestCase("127.0.0.1:8000", true)]
    [TestCase("[::1]:8000", true)]
    [TestCase("dashboard.example:8000", false)]
    public void Seeing_underAnotherNameThanThisMachines_needsTheToken(string host, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Request.Host = new HostString(host);
        Assert.That(new DashboardGuard(new DashboardOptions()).RefusalToSee(context) is null, Is.EqualTo(expected));
    }
}
