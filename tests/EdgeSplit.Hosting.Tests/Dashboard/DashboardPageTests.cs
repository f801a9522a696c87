namespace EdgeSplit.Hosting.Tests.Dashboard;

/// <summary>The page, in a real browser.</summary>
[NonParallelizable]
internal sealed class DashboardPageTests
{
    private static readonly string[] Charts = ["latency", "throughput", "gantt"];

    [Test]
    public async Task Page_ofABusySystem_showsIt_andARepartitionAsItHappens()
    {
        await using Browser browser = await Browser.StartAsync();
        await using DashboardSystem system = await DashboardSystem.StartAsync(null);
        using var ending = new CancellationTokenSource();
        Task requests = system.RunRequestsAsync(ending.Token);
        await browser.OpenAsync(system.Address, 1280, 900, isDark: false);
        await browser.WaitForAsync("document.querySelectorAll('#devices .card').length === 3");
        await browser.WaitForAsync("document.querySelectorAll('#gantt g').length > 0");
        await browser.WaitForAsync("document.querySelectorAll('.graph rect').length === 4");
        await browser.WaitForAsync("document.querySelector('#throughput path').getAttribute('d') !== ''");
        Assert.That(await browser.EvaluateAsync("document.getElementById('access').textContent"), Is.EqualTo("read-only"));
        Assert.That(await browser.EvaluateAsync("document.querySelectorAll('.actions button').length"), Is.EqualTo("0"));

        await system.Coordinator.DrainAgentAsync("gateway");
        await browser.WaitForAsync("document.querySelector('.model .top').textContent.includes('plan 2 ')");
        await browser.WaitForAsync("document.getElementById('decisions').textContent.includes('switched')");
        await browser.WaitForAsync("document.getElementById('devices').textContent.includes('draining')");
        Assert.That(await browser.EvaluateAsync("document.querySelector('.stages').textContent"), Does.Not.Contain("gateway"));
        await browser.KeepPictureAsync("wide");
        await ending.CancelAsync();
        await requests;
        Assert.That(browser.Errors, Is.Empty);
    }

    [TestCase(true, "rgb(18, 22, 29)")]
    [TestCase(false, "rgb(255, 255, 255)")]
    public async Task Page_onAPhone_fitsItsWidth(bool isDark, string background)
    {
        await using Browser browser = await Browser.StartAsync();
        await using DashboardSystem system = await DashboardSystem.StartAsync(DashboardSystem.Token);
        (await system.Deployment.InferAsync(Hosts.Model.RandomInputs(0))).Dispose();
        await browser.OpenAsync(system.Address, 390, 844, isDark);
        await browser.WaitForAsync("document.querySelectorAll('.graph rect').length === 4");
        foreach (string chart in Charts)
            await browser.WaitForAsync($"document.getElementById('{chart}').children.length > 0");
        Assert.That(await browser.EvaluateAsync("getComputedStyle(document.body).backgroundColor"), Is.EqualTo(background));
        Assert.That(int.Parse(await browser.EvaluateAsync("document.documentElement.scrollWidth"), System.Globalization.CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(390));
        await browser.KeepPictureAsync(isDark ? "phone-dark" : "phone");
        Assert.That(browser.Errors, Is.Empty);
    }

    [Test]
    public async Task Page_withTheToken_acts()
    {
        await using Browser browser = await Browser.StartAsync();
        await using DashboardSystem system = await DashboardSystem.StartAsync(DashboardSystem.Token);
        await browser.OpenAsync(system.Address, 1280, 900, isDark: true);
        await browser.WaitForAsync("!document.getElementById('token-form').hidden && document.querySelectorAll('#devices .card').length === 3");
        await browser.EvaluateAsync($"(document.getElementById('token').value = '{DashboardSystem.Token}', document.querySelector('#token-form button').click())");
        await ClickAsync("[data-key=sensor] .actions button");
        await browser.WaitForAsync("document.querySelector('[data-key=sensor]').textContent.includes('draining')");
        await ClickAsync("[data-key=sensor] .actions button");
        await browser.WaitForAsync("document.querySelector('[data-key=sensor]').textContent.includes('available')");
        await ClickAsync(".model .actions button");
        await browser.WaitForAsync("document.querySelector('.stages').textContent.includes('sensor')");
        await browser.EvaluateAsync("(document.getElementById('load-model').value = 'chain', document.getElementById('load-name').value = 'again', document.querySelector('#load-form button').click())");
        await browser.WaitForAsync("document.querySelectorAll('.model').length === 2");
        await browser.KeepPictureAsync("acting-dark");
        Assert.That(browser.Errors, Is.Empty);

        async Task ClickAsync(string selector)
        {
            await browser.WaitForAsync($"document.querySelector('{selector}') && !document.querySelector('{selector}').disabled");
            await browser.EvaluateAsync($"document.querySelector('{selector}').click()");
        }
    }
}
