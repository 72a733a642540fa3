using System.Text.Json;
using System.Text.RegularExpressions;
using Assay.TestServers;

namespace Assay.Deployment;

/// <summary>Traces, metrics and logs of the running services.</summary>
[Trait("Needs", "Servers")]
[Collection(nameof(RunningSystem))]
public sealed partial class WhatItTells(RunningSystem system)
{
    [Fact]
    public async Task Should_be_one_trace_from_the_request_over_the_call_and_the_analysis_to_the_report()
    {
        (await system.RunAuditAsync("Traced")).GetProperty("status").GetString().ShouldBe("Completed");

        string[] stations = ["assay-dashboard", "assay-auditsaga", "assay-llmgateway", "assay-analyzer"];
        // From the request to the report: the first and the last are in it, and what happens in between without a message at hand.
        string[] work = ["HttpRequestIn", "RequestAudit", "audit-state", "open-budget", "ask-engine", "ask engine", "end batch", "analyze-answers", "score-audit", "draft-insights", "PublishReport", "ReportPublished", "AuditCompleted"];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var whole = system.Traces.Spans.GroupBy(span => span.TraceId, StringComparer.Ordinal)
                .Where(trace => stations.All(service => trace.Any(span => span.Service == service)) && work.All(queue => trace.Any(span => span.Name.Contains(queue, StringComparison.Ordinal))))
                .ToList();
            if (whole.Count > 0)
                return;
            limit.IsCancellationRequested.ShouldBeFalse("no trace holds all stations of the audit:\n" + string.Join('\n', system.Traces.Spans.GroupBy(span => span.TraceId, StringComparer.Ordinal)
                .OrderByDescending(trace => trace.Count()).Take(5).Select(trace => $"{trace.Key}: {string.Join(", ", trace.Select(span => $"{span.Service} {span.Name}").Distinct(StringComparer.Ordinal))}")));
            await Task.Delay(200, CancellationToken.None);
        }
    }

    [Fact]
    public async Task Should_show_every_metric_of_the_alert_rules_and_the_dashboard()
    {
        (await system.RunAuditAsync("Measured")).GetProperty("status").GetString().ShouldBe("Completed");
        var shown = await ShownAsync();
        foreach (var file in new[] { "deploy/prometheus/alerts.yml", "deploy/grafana/assay.json" })
        {
            var text = await File.ReadAllTextAsync(Path.Combine(SharedFolder.RepositoryRoot, file));
            var named = MetricName().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
            named.Count.ShouldBeGreaterThan(10);
            named.Except(shown, StringComparer.Ordinal).ShouldBeEmpty($"{file} names metrics that nobody shows");
        }
    }

    [Fact]
    public async Task Should_show_every_metric_of_the_design_in_the_text_format()
    {
        (await system.RunAuditAsync("Counted")).GetProperty("status").GetString().ShouldBe("Completed");
        var shown = await ShownAsync();
        string[] design =
        [
            "assay_audits", "assay_audit_transitions_total", "assay_audit_duration_bucket", "assay_audit_attempts_bucket", "assay_admission_refusals_total", "assay_calls_total",
            "assay_call_duration_bucket", "assay_spend_usd_total", "assay_deadline_watch_rescues_total", "assay_outbox_pending", "assay_lineage_depth_bucket", "assay_redeliveries_total",
        ];
        design.Except(shown, StringComparer.Ordinal).ShouldBeEmpty();
        foreach (var instance in system.Services.Instances)
            foreach (var line in (await system.Api.GetStringAsync(new Uri(instance.Url, "metrics"))).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                (Sample().IsMatch(line) || Comment().IsMatch(line)).ShouldBeTrue($"{instance.Service}: {line}");
    }

    [Fact]
    public async Task Should_log_json_lines_and_the_audit_beside_its_trace()
    {
        var auditId = (await system.RunAuditAsync("Logged")).GetProperty("auditId").GetString()!;
        foreach (var instance in system.Services.Instances)
            foreach (var line in instance.Log.Where(line => line.StartsWith('{')))
                JsonDocument.Parse(line).Dispose();

        // Who looks for an audit finds it at each service that works on it, in one trace.
        List<string> traces = [];
        foreach (var instance in system.Services.Instances.Where(instance => instance.Service != "Dashboard"))
        {
            var told = instance.Log.Where(line => line.Contains(auditId, StringComparison.Ordinal)).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
            told.ShouldNotBeEmpty(instance.Service);
            told.ShouldAllBe(line => line.GetProperty("Properties").GetProperty("AuditId").GetString() == auditId);
            traces.AddRange(told.Select(line => line.GetProperty("TraceId").GetString()!));
        }

        traces.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem().Length.ShouldBe(32);
    }

    [Fact]
    public async Task Should_never_write_a_secret_down()
    {
        // The provider cannot be reached: every layer has a reason to say what it tried.
        await system.RunAuditAsync("Secret", "paid");
        var logs = string.Join('\n', system.Services.Instances.SelectMany(instance => instance.Log));
        logs.Length.ShouldBeGreaterThan(1000);

        logs.ShouldNotContain(system.EngineKey);
        logs.ShouldNotContain(system.Services.OperatorKey);
        foreach (var secret in system.Passwords.Values.Concat(system.FurtherSecrets.Values))
            logs.ShouldNotContain(secret);
        foreach (var instance in system.Services.Instances)
            (await system.Api.GetStringAsync(new Uri(instance.Url, "metrics"))).ShouldNotContain(system.EngineKey);
    }

    async Task<HashSet<string>> ShownAsync()
    {
        var shown = new HashSet<string>(StringComparer.Ordinal);
        foreach (var address in system.Services.Instances.Select(instance => new Uri(instance.Url, "metrics")).Append(new Uri($"http://127.0.0.1:{system.Broker.PrometheusPort}/metrics/detailed?family=queue_coarse_metrics&vhost=assay")))
            foreach (var line in (await system.Api.GetStringAsync(address)).Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
                shown.Add(line[..line.IndexOfAny(['{', ' '])]);
        return shown;
    }

    [GeneratedRegex(@"\b(assay|rabbitmq)_[a-z_]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MetricName();

    [GeneratedRegex("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")*\})? (NaN|\+Inf|-Inf|[-+0-9.eE]+)$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sample();

    [GeneratedRegex("""^# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram))$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comment();
}
