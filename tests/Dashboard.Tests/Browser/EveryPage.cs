using Assay.Contracts;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>One address of each kind of page, of an audit that completed and one that lives.</summary>
static class EveryPage
{
    public static async Task<IReadOnlyList<string>> OfAsync(BrowserHost browser)
    {
        var id = await browser.Host.CompletedAuditAsync();
        var live = Guid.CreateVersion7();
        await browser.Host.SayAsync(Sample.Registered(live), Sample.Accepted(live), Sample.Transitioned(live, 3, AuditStates.Planning, AuditStates.Asking));
        await browser.Host.EventuallyAsync(db => Task.FromResult(db.Audits.Any(a => a.AuditId == live && a.Status == AuditStates.Asking)), "one is live");
        return
        [
            "/", "/audits/new", $"/audits/{id}", $"/audits/{live}", $"/audits/{id}/answers", $"/audits/{id}/answers/key-chatgpt-q001", $"/audits/{id}/report", $"/audits/{id}/share", $"/audits/{id}/rederive",
            "/spending", "/spending/stop", "/spending/resume", "/operations", "/operations/messages", PlantedFaults.One, PlantedFaults.Alike, "/operations/engines/chatgpt/pause", "/operations/engines/chatgpt/resume", "/operations/engines/chatgpt/limits",
            "/operations/services/Dashboard/release", "/operations/read-model/rebuild", $"/lineage/{id}", $"/audits/{id}/compare/{id}", $"/audits/{id}/delete", $"/audits/{live}/cancel",
            "/audits/bulk?action=cancel&status=live", "/metrics-explained", "/settings",
        ];
    }
}
