using System.Text.Json;
using Microsoft.Playwright;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>
/// Takes pictures of every page of a running system, in both themes and two widths, for docs/screenshots. On demand:
/// <c>dotnet run -c Release --project tests/Dashboard.Tests -- screenshots LOGIN-LINK FOLDER</c>, with the link that <c>assay serve</c> prints.
/// </summary>
static class Screenshots
{
    /// <summary>Wide pages are kept at half their size: enough to see where everything is.</summary>
    static readonly (string Name, int Width, int Height, float Scale)[] Windows = [("wide", 1920, 1080, 0.5f), ("narrow", 375, 812, 1f)];

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not [var link, var folder])
        {
            await Console.Error.WriteLineAsync("Use: screenshots LOGIN-LINK FOLDER, with the link that `assay serve` prints.");
            return 2;
        }

        Directory.CreateDirectory(folder);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = "/usr/bin/chromium", Headless = true, Args = ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });
        await using var signingIn = await browser.NewContextAsync();
        var first = await signingIn.NewPageAsync();
        await first.GotoAsync(link);
        var cookies = (await signingIn.CookiesAsync()).Select(cookie => new Cookie { Name = cookie.Name, Value = cookie.Value, Domain = cookie.Domain, Path = cookie.Path }).ToArray();
        var root = new Uri(new Uri(link), "/");
        var pages = await PagesAsync(signingIn, root);
        foreach (var theme in new[] { ColorScheme.Light, ColorScheme.Dark })
            foreach (var (window, width, height, scale) in Windows)
            {
                await using var context = await browser.NewContextAsync(new BrowserNewContextOptions { ColorScheme = theme, ViewportSize = new ViewportSize { Width = width, Height = height }, DeviceScaleFactor = scale });
                await context.AddCookiesAsync(cookies);
                var page = await context.NewPageAsync();
                foreach (var (name, path) in pages)
                {
                    await page.GotoAsync(new Uri(root, path).ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
                    var file = Path.Combine(folder, $"{name}-{window}-{theme.ToString().ToLowerInvariant()}.jpg");
                    await page.ScreenshotAsync(new PageScreenshotOptions { Path = file, Type = ScreenshotType.Jpeg, Quality = 60, FullPage = false, Animations = ScreenshotAnimations.Disabled });
                    var overflow = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - window.innerWidth");
                    Console.WriteLine($"{file}{(overflow > 0 ? $"  {overflow} px wider than the window" : "")}");
                }
            }

        return 0;
    }

    /// <summary>One of each page, of an audit that completed and one that lives.</summary>
    static async Task<IReadOnlyList<(string Name, string Path)>> PagesAsync(IBrowserContext context, Uri root)
    {
        async Task<string?> FirstAsync(string query, int skip = 0)
        {
            var found = await context.APIRequest.GetAsync(new Uri(root, "/api/audits" + query).ToString());
            using var list = JsonDocument.Parse(await found.TextAsync());
            return list.RootElement.GetProperty("items").EnumerateArray().Skip(skip).Select(item => item.GetProperty("auditId").GetString()).FirstOrDefault();
        }

        var (done, other, live) = (await FirstAsync("?status=Completed"), await FirstAsync("?status=Completed", 1), await FirstAsync("?status=live"));
        List<(string, string)> pages = [("audits", "/"), ("new-audit", "/audits/new"), ("operations", "/operations"), ("spending", "/spending"), ("stop", "/spending/stop"), ("metrics", "/metrics-explained"), ("settings", "/settings")];
        if (live is not null)
            pages.Add(("live", $"/audits/{live}"));
        if (done is null)
            return pages;
        var answer = await context.APIRequest.GetAsync(new Uri(root, $"/api/audits/{done}/answers?outcome=valid&pageSize=1").ToString());
        using var answers = JsonDocument.Parse(await answer.TextAsync());
        var key = answers.RootElement.GetProperty("items")[0].GetProperty("answer").GetProperty("callKey").GetString();
        pages.AddRange([("audit", $"/audits/{done}"), ("answers", $"/audits/{done}/answers"), ("answer", $"/audits/{done}/answers/{key}"), ("report", $"/audits/{done}/report"), ("lineage", $"/lineage/{done}"), ("rederive", $"/audits/{done}/rederive"), ("share", $"/audits/{done}/share")]);
        if (other is not null)
            pages.Add(("compare", $"/audits/{done}/compare/{other}"));
        return pages;
    }
}
