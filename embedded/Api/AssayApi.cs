using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Embedded.Cli;

namespace Assay.Embedded.Api;

/// <summary>The REST interface, from the command line's side: an answer, or a <see cref="CommandError"/> that says what was refused and why.</summary>
sealed class AssayApi : IDisposable
{
    readonly HttpClient http;

    public AssayApi(Uri address, string? key)
    {
        Address = address;
        // Waiting for an admission or for the last call after a halt is the longest answer; everything slower is a system that hangs.
        http = new HttpClient(new SocketsHttpHandler { UseProxy = !address.IsLoopback, AllowAutoRedirect = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(100) };
        if (key is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Uri Address { get; }

    public Task<AuditTicket> RequestAsync(RequestAudit request, CancellationToken cancellationToken) =>
        SendAsync<AuditTicket>(HttpMethod.Post, "api/audits", request, $"request audit {request.AuditId}", cancellationToken);

    public Task<AuditQuoted> QuoteAsync(RequestAudit request, CancellationToken cancellationToken) =>
        SendAsync<AuditQuoted>(HttpMethod.Post, "api/audits/quote", request, "quote the audit", cancellationToken);

    public Task<AuditStatus> GetAsync(Guid auditId, CancellationToken cancellationToken) =>
        SendAsync<AuditStatus>(HttpMethod.Get, $"api/audits/{auditId}", null, $"read audit {auditId}", cancellationToken);

    public Task<JsonElement> GetRawAsync(Guid auditId, CancellationToken cancellationToken) =>
        SendAsync<JsonElement>(HttpMethod.Get, $"api/audits/{auditId}", null, $"read audit {auditId}", cancellationToken);

    public Task<Page<AuditStatus>> ListAsync(string query, CancellationToken cancellationToken) =>
        SendAsync<Page<AuditStatus>>(HttpMethod.Get, "api/audits" + query, null, "list the audits", cancellationToken);

    public Task<JsonElement> ListRawAsync(string query, CancellationToken cancellationToken) =>
        SendAsync<JsonElement>(HttpMethod.Get, "api/audits" + query, null, "list the audits", cancellationToken);

    public Task<AuditTicket> CancelAsync(Guid auditId, string reason, CancellationToken cancellationToken) =>
        SendAsync<AuditTicket>(HttpMethod.Post, $"api/audits/{auditId}/cancel", new { reason }, $"cancel audit {auditId}", cancellationToken);

    public Task<AuditTicket> RetryAsync(Guid auditId, int fromAttempt, string reason, decimal? ceilingUsd, bool askInDoubtAgain, CancellationToken cancellationToken) =>
        SendAsync<AuditTicket>(HttpMethod.Post, $"api/audits/{auditId}/retry", new { fromAttempt, reason, ceilingUsd, askInDoubtAgain }, $"retry audit {auditId}", cancellationToken);

    public Task<JsonElement> RederiveAsync(Guid auditId, object names, CancellationToken cancellationToken) =>
        SendAsync<JsonElement>(HttpMethod.Post, $"api/audits/{auditId}/rederive", names, $"read audit {auditId} again", cancellationToken);

    public Task<Spending> SpendingAsync(Guid? auditId, CancellationToken cancellationToken) =>
        SendAsync<Spending>(HttpMethod.Get, auditId is null ? "api/spending" : $"api/spending?auditId={auditId}", null, "read the ledger", cancellationToken);

    public Task<IntegrityPage> CheckIntegrityAsync(string? cursor, bool repair, CancellationToken cancellationToken) =>
        SendAsync<IntegrityPage>(HttpMethod.Post, "api/integrity", new { cursor, repair }, "compare the services", cancellationToken);

    public Task<RebuildAnswer> RebuildAsync(string reason, CancellationToken cancellationToken) =>
        SendAsync<RebuildAnswer>(HttpMethod.Post, "api/operations/read-model/rebuild", new { reason }, "rebuild the read model", cancellationToken);

    public Task<RebuildProgress> RebuildProgressAsync(CancellationToken cancellationToken) =>
        SendAsync<RebuildProgress>(HttpMethod.Get, "api/operations/read-model", null, "ask how far the rebuild is", cancellationToken);

    public Task<HaltAnswer> HaltAsync(string reason, CancellationToken cancellationToken) =>
        SendAsync<HaltAnswer>(HttpMethod.Post, "api/spending/halt", new { reason }, "halt spending", cancellationToken);

    public Task<HaltAnswer> ResumeAsync(string reason, CancellationToken cancellationToken) =>
        SendAsync<HaltAnswer>(HttpMethod.Post, "api/spending/resume", new { reason }, "resume spending", cancellationToken);

    public Task<LedgerRecovery> RecoverAsync(string reason, CancellationToken cancellationToken) =>
        SendAsync<LedgerRecovery>(HttpMethod.Post, "api/spending/after-restore", new { reason }, "recover the restored ledger", cancellationToken);

    public Task<IReadOnlyList<EngineState>> EnginesAsync(CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<EngineState>>(HttpMethod.Get, "api/engines", null, "list the engines", cancellationToken);

    public Task<EngineState> ChangeEngineAsync(string engine, string action, string reason, CancellationToken cancellationToken) =>
        SendAsync<EngineState>(HttpMethod.Post, $"api/engines/{Uri.EscapeDataString(engine)}/{action}", new { reason }, $"{action} the engine {engine}", cancellationToken);

    public Task<CreatedKey> CreateKeyAsync(string role, string name, CancellationToken cancellationToken) =>
        SendAsync<CreatedKey>(HttpMethod.Post, "api/keys", new { role, name }, $"create a key for {name}", cancellationToken);

    /// <summary>Whether the system says it is ready, and what it says of each part.</summary>
    public async Task<(bool Ready, string Text)> ReadyAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "health/ready");
        using var response = await TryAsync(request, "ask for its health", HttpCompletionOption.ResponseContentRead, cancellationToken);
        return (response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>The report in one format (json, html, csv), unread.</summary>
    public async Task<Stream> ReportAsync(Guid auditId, string format, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/audits/{auditId}/report?format={format}");
        var what = $"read the report of audit {auditId}";
        var response = await TryAsync(request, what, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        using (response)
            throw await RefusedAsync(response, what, cancellationToken);
    }

    public void Dispose() => http.Dispose();

    async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, string what, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body, body.GetType(), options: AssayJson.Options);
        using var response = await TryAsync(request, what, HttpCompletionOption.ResponseContentRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw await RefusedAsync(response, what, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(AssayJson.Options, cancellationToken)
                ?? throw CommandError.Failed($"Could not {what}: {Address} answered with nothing.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw CommandError.Failed($"Could not {what}: {Address} did not answer as Assay does ({e.Message}).", "Check the address.", e);
        }
    }

    async Task<HttpResponseMessage> TryAsync(HttpRequestMessage request, string what, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, completion, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new UnreachableError($"Could not {what}: {Address} does not answer ({e.Message}).", "Check that the process runs and that the address is right.", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnreachableError(string.Create(CultureInfo.InvariantCulture, $"Could not {what}: {Address} did not answer within {http.Timeout.TotalSeconds:0} s."), "Try again; `assay doctor` tells more.", e);
        }
    }

    async Task<CommandError> RefusedAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Problem? problem = null;
        if (response.Content.Headers.ContentType?.MediaType is { } type && type.EndsWith("json", StringComparison.OrdinalIgnoreCase))
        {
            try
            {
                problem = JsonSerializer.Deserialize<Problem>(text, AssayJson.Options);
            }
            catch (JsonException)
            {
                // Not a problem document after all; the status line below says what is known.
                problem = null;
            }
        }

        var detail = problem is { Errors: { Count: > 0 } errors }
            ? string.Join("; ", errors.Select(e => $"{e.Field}: {e.Problem}")) + "."
            : problem?.Detail ?? problem?.Title ?? string.Create(CultureInfo.InvariantCulture, $"{Address} answered {(int)response.StatusCode} {response.ReasonPhrase}.");
        var because = problem?.Reason is { } reason && !detail.StartsWith(reason, StringComparison.Ordinal) ? $"{reason}: {detail}" : detail;
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => CommandError.BadInput($"Could not {what}: {Address} does not know the access key.", "Give one with --key or the setting ASSAY_KEY; `assay key create` makes one."),
            HttpStatusCode.Forbidden => CommandError.BadInput($"Could not {what}: the access key's role does not allow it. {because}", "Use a key with another role."),
            HttpStatusCode.NotFound => new RefusalError(ExitCodes.BadInput, problem?.Detail is null ? $"Could not {what}: it is not known at {Address}." : $"Could not {what}: {because}", problem),
            >= HttpStatusCode.InternalServerError => CommandError.Failed($"Could not {what}: {because}", "Try again; `assay doctor` and the log tell more."),
            _ => new RefusalError(ExitCodes.BadInput, $"Could not {what}: {because}", problem),
        };
    }
}

/// <summary>The system did not answer at all.</summary>
sealed class UnreachableError(string message, string fix, Exception cause) : CommandError(ExitCodes.Failed, message, fix, cause);

/// <summary>The system understood and refused.</summary>
sealed class RefusalError(int exitCode, string message, Problem? problem) : CommandError(exitCode, message)
{
    public string? Reason { get; } = problem?.Reason;

    public Guid? ExistingAuditId { get; } = problem?.ExistingAuditId;
}
