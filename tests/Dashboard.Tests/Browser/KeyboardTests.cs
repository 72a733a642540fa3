using Microsoft.Playwright;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>Without a mouse.</summary>
[Collection(nameof(OneBrowser))]
[Trait("Needs", "Browser")]
public sealed class APersonWithAKeyboard(BrowserHost browser)
{
    const string Native = "a[href], button, input:not([type=hidden]), select, textarea, summary";

    [Fact]
    public async Task Should_skip_to_the_content()
    {
        var (page, _) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At("/spending"));
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<string>("() => document.activeElement.className")).ShouldBe("skip");
        (await page.EvaluateAsync<double>("() => document.activeElement.getBoundingClientRect().left")).ShouldBeGreaterThanOrEqualTo(0, "it comes into view");
        await page.Keyboard.PressAsync("Enter");
        (await page.EvaluateAsync<string>("() => document.activeElement.id")).ShouldBe("main");
        await page.Keyboard.PressAsync("Tab");
        (await page.EvaluateAsync<bool>("() => document.getElementById('main').contains(document.activeElement)")).ShouldBeTrue("the navigation is skipped");
    }

    [Theory]
    [InlineData(1440)]
    [InlineData(375)]
    public async Task Should_reach_and_see_everything_that_can_be_used(int width)
    {
        var paths = await EveryPage.OfAsync(browser);
        var (page, _) = await browser.SignedInAsync(width: width);
        List<string> problems = [];
        foreach (var path in paths.Where(path => !path.EndsWith("/report", StringComparison.Ordinal)))
        {
            await page.GotoAsync(browser.At(path), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
            // What only a mouse could use: a hand without a native element under it, a script's click, an order of its own.
            var odd = await page.EvaluateAsync<string[]>(
                """
                native => [...document.querySelectorAll('body *')].filter(e => !e.closest('svg, .plot')).filter(e =>
                    (getComputedStyle(e).cursor === 'pointer' && !e.closest(native + ', label')) || e.hasAttribute('onclick') || e.tabIndex > 0 || (e.tagName === 'A' && !e.hasAttribute('href'))
                    || (e.hasAttribute('role') && ['button', 'link', 'menuitem', 'tab', 'checkbox'].includes(e.getAttribute('role')))
                    || ((e.hasAttribute('hx-get') || e.hasAttribute('hx-post')) && !e.hasAttribute('hx-trigger') && !e.matches(native))).map(e => e.outerHTML.slice(0, 120))
                """, Native);
            problems.AddRange(odd.Select(element => $"{path}: only for a mouse: {element}"));

            var all = await page.EvaluateAsync<int>("native => [...document.querySelectorAll(native)].filter(e => !e.disabled && e.checkVisibility()).map(e => e.dataset.wanted = '1').length", Native);
            all.ShouldBeGreaterThan(5, path);
            for (var i = 0; i < 2 * all + 20 && await page.Locator("[data-wanted]").CountAsync() > 0; i++)
            {
                await page.Keyboard.PressAsync("Tab");
                if (await page.EvaluateAsync<string?>(
                    """
                    () => { const e = document.activeElement; if (!e || !e.dataset.wanted) return null; delete e.dataset.wanted;
                        const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 ? null : e.outerHTML.slice(0, 120); }
                    """) is { } unseen)
                    problems.Add($"{path}: focus is not seen on {unseen}");
            }

            var left = await page.EvaluateAsync<string[]>("() => [...document.querySelectorAll('[data-wanted]')].map(e => e.outerHTML.slice(0, 120))");
            problems.AddRange(left.Select(element => $"{path}: not reached: {element}"));
        }

        problems.ShouldBeEmpty(string.Join('\n', problems));
    }

    [Fact]
    public async Task Should_stop_all_spending_and_resume_in_two_steps_each()
    {
        var (page, complaints) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At("/metrics-explained"));
        await GoToAsync(page, "Stop all spending");
        await page.Keyboard.PressAsync("Enter");
        // The second step has its field focused: the reason, then Enter.
        await page.Locator("input[name=reason]:focus").WaitForAsync();
        await page.Keyboard.TypeAsync("no hand free for a mouse");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("All spending is stopped").WaitForAsync();
        await GoToAsync(page, "Allow spending again");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("input[name=reason]:focus").WaitForAsync();
        await page.Keyboard.TypeAsync("found it");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("spending allowed").WaitForAsync();
        complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_open_what_is_folded()
    {
        var id = await browser.Host.CompletedAuditAsync();
        var (page, _) = await browser.SignedInAsync();
        await page.GotoAsync(browser.At($"/audits/{id}"), new PageGotoOptions { WaitUntil = WaitUntilState.Load });
        var folded = page.Locator("details:not([open]) > summary").First;
        await folded.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        (await page.EvaluateAsync<bool>("() => document.activeElement.parentElement.open")).ShouldBeTrue();
    }

    static async Task GoToAsync(IPage page, string text)
    {
        for (var i = 0; i < 200; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<string>("() => document.activeElement.innerText ?? ''") == text)
                return;
        }

        throw new InvalidOperationException($"'{text}' was not reached by Tab on {page.Url}.");
    }
}
