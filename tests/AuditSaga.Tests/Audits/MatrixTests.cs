using System.Globalization;
using System.Text;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.Tests.Audits;

/// <summary>
/// Delivers every message in every state and writes down what happens: <c>docs/state-machine.md</c> is that record, approved. A new
/// message that is not delivered here, or a state that does not know it, fails.
/// </summary>
public class When_every_message_comes_in_every_state
{
    static readonly string[] States =
    [
        AuditStates.Admitting, AuditStates.Planning, AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing,
        AuditStates.Completed, AuditStates.Failed, AuditStates.Cancelled, AuditStates.Rejected,
    ];

    /// <summary>Each message the machine knows, once or in the variants that differ.</summary>
    static IEnumerable<(string Name, object Message)> Messages(RequestAudit request, AuditState row, Guid? openBatch, int attempt)
    {
        var id = request.AuditId;
        var ask = new AskEngine { AuditId = id, Attempt = attempt, BatchId = openBatch ?? Guid.NewGuid(), Purpose = Purposes.Answer, Engine = "chatgpt", DeadlineAt = row.DeadlineAt, Questions = [new Question { QuestionId = "q001", Text = "query 1" }] };
        yield return ("RequestAudit, same content", request);
        yield return ("RequestAudit, other content", request with { Runs = 2 });
        yield return ("CancelAudit", Given.Cancel(id));
        yield return ("RetryAudit", Given.Retry(id, row.Attempt));
        yield return ("RetryAudit, second click", Given.Retry(id, row.Attempt - 1));
        yield return ("BudgetOpened", Given.Opened(id, attempt));
        yield return ("BudgetRefused", Given.Refused(id, attempt));
        yield return ("BudgetReported", Given.Reported(id, version: 100, spent: 5, attempt));
        yield return ("BatchAlive", Given.Alive(id, attempt, openBatch, decided: 1, waitingFor: "breaker"));
        yield return ("QueriesPlanned", Given.Planned(id, attempt));
        yield return ("AnswersAnalyzed", Given.Analyzed(ask));
        yield return ("AuditScored", Given.Scored(id, attempt));
        yield return ("InsightsDrafted", Given.Drafted(id, row.DraftedLayers + 1, attempt));
        yield return ("ReportPublished", Given.Published(id, attempt));
        yield return ("AnswersErased", Given.Erased(id));
        yield return ("AuditStalled", new AuditStalled { AuditId = id, Attempt = attempt });
        yield return ("AuditDeadlinePassed", new AuditDeadlinePassed { AuditId = id, Attempt = attempt });
        yield return ("Fault<OpenBudget>", Given.Fault(row.OpenBudget(request, new LineageTree()) with { Attempt = attempt }));
        yield return ("Fault<PlanQueries>", Given.Fault(row.PlanQueries(request) with { Attempt = attempt }));
        yield return ("Fault<AskEngine>, panel", Given.Fault(ask));
        yield return ("Fault<AskEngine>, plan", Given.Fault(ask with { BatchId = Guid.NewGuid(), Purpose = Purposes.Plan }));
        yield return ("Fault<AskEngine>, insight", Given.Fault(ask with { BatchId = Guid.NewGuid(), Purpose = Purposes.Insight }));
        yield return ("Fault<EngineAnswered>, panel", Given.Fault(new EngineAnswered { AuditId = id, Attempt = attempt, BatchId = ask.BatchId, Purpose = Purposes.Answer, Engine = "chatgpt", EngineKind = "scripted", Simulated = true, Answers = [] }));
        yield return ("Fault<ScoreAudit>", Given.Fault(row.ScoreAudit() with { Attempt = attempt }));
        yield return ("Fault<DraftInsights>", Given.Fault(new DraftInsights { AuditId = id, Attempt = attempt, Layer = 1, ScoreId = Guid.NewGuid(), AdvisorAvailable = true, DeadlineAt = row.DeadlineAt }));
        yield return ("Fault<PublishReport>", Given.Fault(new PublishReport { AuditId = id, Attempt = attempt, BatchIds = [], AnswerCount = 0, ScoreId = Guid.NewGuid(), Layers = [] }));
        yield return ("Fault<CloseBudget>", Given.Fault(row.CloseBudget("test") with { Attempt = attempt }));
    }

    static async Task<(AuditBench Bench, RequestAudit Request, AuditState Row)> InAsync(string state)
    {
        var bench = await AuditBench.CreateAsync();
        var request = Given.Request();
        await bench.ToAsync(state is AuditStates.Failed or AuditStates.Cancelled or AuditStates.Rejected ? AuditStates.Admitting : state, request);
        if (state == AuditStates.Rejected)
            await bench.DeliverAsync(Given.Refused(request.AuditId));
        if (state == AuditStates.Cancelled)
            await bench.DeliverAsync(Given.Cancel(request.AuditId));
        if (state == AuditStates.Failed)
            await bench.DeliverAsync(Given.Fault(bench.Last<OpenBudget>()));
        var row = await bench.RowAsync(request.AuditId);
        row.CurrentState.ShouldBe(state);
        return (bench, request, row);
    }

    [Fact]
    public async Task Should_do_what_the_approved_table_says()
    {
        var cells = new Dictionary<(string Message, string State), string>();
        var edges = new SortedSet<string>(StringComparer.Ordinal) { "    [*] --> Admitting: RequestAudit", "    [*] --> Rejected: RequestAudit, refused" };
        var names = new List<string>();
        foreach (var state in States)
        {
            var (bench, request, row) = await InAsync(state);
            await using var _ = bench;
            var open = row.OpenBatches.Keys.Select(key => (Guid?)key).FirstOrDefault();
            foreach (var (name, message) in Messages(request, row, open, row.Attempt))
            {
                if (!names.Contains(name))
                    names.Add(name);
                // Timers come when they are due.
                var due = message is AuditStalled or AuditDeadlinePassed;
                if (due)
                    bench.Clock.Advance(60);
                var outcome = await bench.TryAsync(message);
                if (due)
                    bench.Clock.Advance(-60);
                cells[(name, state)] = Cell(state, outcome);
                if (outcome.State != state)
                    edges.Add($"    {state} --> {outcome.State}: {name}");
            }

            // The last batch, the last layer, and an existing result lead elsewhere than the first ones.
            if (state == AuditStates.Asking)
                edges.Add($"    {state} --> {AuditStates.Scoring}: AnswersAnalyzed, the last");
            if (state == AuditStates.Asking)
                edges.Add($"    {state} --> {AuditStates.Failed}: AnswersAnalyzed, the last, coverage too low");
            if (state == AuditStates.Advising)
                edges.Add($"    {state} --> {AuditStates.Publishing}: InsightsDrafted, the third");
            if (state == AuditStates.Admitting)
                foreach (var resumed in (string[])[AuditStates.Asking, AuditStates.Scoring, AuditStates.Advising, AuditStates.Publishing])
                    edges.Add($"    {state} --> {resumed}: BudgetOpened, after a retry");
        }

        await ApprovedAsync(Document(names, cells, edges));
    }

    [Fact]
    public async Task Should_deliver_every_message_the_machine_knows()
    {
        await using var bench = await AuditBench.CreateAsync();
        var row = new AuditState { Attempt = 1 };
        var delivered = Messages(Given.Request(), row, null, 1)
            .Select(message => message.Message.GetType())
            .Select(type => type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(Fault<>)) ?? type)
            .ToHashSet();
        var known = bench.Machine.Events
            .Select(e => e.GetType().GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(Event<>))?.GetGenericArguments()[0])
            .OfType<Type>();
        known.ShouldAllBe(type => delivered.Contains(type));
    }

    [Fact]
    public async Task Should_decide_every_message_in_every_state()
    {
        await using var bench = await AuditBench.CreateAsync();
        var machine = bench.Machine;
        foreach (var state in machine.States.Where(state => state != machine.Initial && state != machine.Final))
        {
            var decided = machine.NextEvents(state).Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
            machine.Events.Select(e => e.Name)
                .Where(name => !States.Any(s => name.StartsWith(s + ".", StringComparison.Ordinal)) && !name.EndsWith(".Enter", StringComparison.Ordinal) && !name.EndsWith(".Leave", StringComparison.Ordinal) && !name.Contains(".BeforeEnter", StringComparison.Ordinal) && !name.Contains(".AfterLeave", StringComparison.Ordinal))
                .ShouldAllBe(name => decided.Contains(name), $"in {state.Name}");
        }
    }

    [Fact]
    public async Task Should_change_nothing_by_messages_of_another_attempt()
    {
        foreach (var state in States)
        {
            var (bench, request, row) = await InAsync(state);
            await using var _ = bench;
            bench.Clock.Advance(60);
            var open = row.OpenBatches.Keys.Select(key => (Guid?)key).FirstOrDefault();
            foreach (var (name, message) in Messages(request, row, open, row.Attempt + 1))
            {
                if (message is RequestAudit or CancelAudit or RetryAudit or BudgetReported or AnswersErased)
                    continue;
                var outcome = await bench.TryAsync(message, timerToken: Guid.NewGuid());
                (outcome.State, outcome.RowChanged, outcome.Said.Count).ShouldBe((state, false, 0), $"{name} in {state}");
            }
        }
    }

    static string Cell(string state, Outcome outcome)
    {
        var said = string.Join(", ", outcome.Said.Where(message => message is not AuditTransitioned).GroupBy(message => message.GetType().Name)
            .Select(group => group.Count() == 1 ? group.Key : $"{group.Count()} × {group.Key}"));
        return outcome.State != state ? $"**→ {outcome.State}** {said}"
            : said.Length > 0 ? said
            : outcome.RowChanged ? "noted"
            : "·";
    }

    static string Document(IReadOnlyList<string> names, Dictionary<(string, string), string> cells, SortedSet<string> edges)
    {
        var text = new StringBuilder();
        text.AppendLine("# The life of an audit");
        text.AppendLine();
        text.AppendLine("Generated by `tests/AuditSaga.Tests/Audits/MatrixTests.cs`, which delivers every message in every state to the real machine on a real");
        text.AppendLine("database; approved by committing it. Do not edit it: change `services/AuditSaga/Audits/AuditStateMachine.cs`, run the test, and look at the difference.");
        text.AppendLine();
        text.AppendLine("## States");
        text.AppendLine();
        text.AppendLine("```mermaid");
        text.AppendLine("stateDiagram-v2");
        foreach (var edge in Merged(edges))
            text.AppendLine(edge);
        text.AppendLine("```");
        text.AppendLine();
        text.AppendLine("Attempts are fenced: a message of another attempt changes nothing in any state (tested). `BudgetReported` counts by its own version; an audit is deleted (`AnswersErased`) in all its attempts.");
        text.AppendLine();
        text.AppendLine("## What every message does in every state");
        text.AppendLine();
        text.AppendLine("`→` the next state and what is said on the way; a name alone: said without leaving the state; *noted*: kept in the row; `·` ignored.");
        text.AppendLine("`AuditTransitioned` accompanies every step. Timers are due; one that fires early re-checks the row and is armed again.");
        text.AppendLine();
        foreach (var part in (string[][])[States[..6], States[6..]])
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", part)} |");
            text.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(part.Select(_ => "---|"))}");
            foreach (var name in names)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {name.Replace("<", "&lt;", StringComparison.Ordinal)} | {string.Join(" | ", part.Select(state => cells[(name, state)]))} |");
            text.AppendLine();
        }

        text.AppendLine("## Who may descend from whom");
        text.AppendLine();
        text.AppendLine("Lineage comes from the parent's row, never from the message. *A*, *B* … are brands; kinds in brackets; the root first.");
        text.AppendLine();
        text.AppendLine("| lineage above | state of the parent | request | outcome |");
        text.AppendLine("|---|---|---|---|");
        foreach (var line in Progressions())
            text.AppendLine(line);
        return text.ToString();
    }

    /// <summary>One arrow for two states, with all that causes it.</summary>
    static IEnumerable<string> Merged(SortedSet<string> edges) =>
        edges.Select(edge => edge.Split(": ", 2)).GroupBy(edge => edge[0], StringComparer.Ordinal).Select(group => $"{group.Key}: {string.Join(", ", group.Select(edge => edge[1]))}");

    static IEnumerable<string> Progressions()
    {
        (string Above, string Parent, string Request)[] cases =
        [
            ("–", "–", "A (brand)"),
            ("A (brand)", AuditStates.Completed, "B (competitor)"),
            ("A (brand)", AuditStates.Asking, "B (competitor)"),
            ("A (brand)", AuditStates.Completed, "B (brand)"),
            ("A (brand)", AuditStates.Completed, "A (brand)"),
            ("A (brand)", AuditStates.Completed, "A (product)"),
            ("A (brand)", AuditStates.Completed, "A (competitor)"),
            ("A (brand), B (competitor)", AuditStates.Completed, "A (brand)"),
            ("A (brand), B (competitor)", AuditStates.Completed, "A (competitor)"),
            ("A (brand), B (competitor), A (product)", AuditStates.Completed, "B (competitor)"),
            ("A (brand)", AuditStates.Failed, "B (brand)"),
            ("A (brand)", AuditStates.Failed, "B (competitor)"),
            ("A (brand)", AuditStates.Cancelled, "B (brand)"),
            ("A (brand)", AuditStates.Rejected, "B (competitor)"),
            (string.Join(", ", Enumerable.Range(0, 10).Select(i => $"{(char)('A' + i)} (brand)")), AuditStates.Completed, "Z (brand)"),
            (string.Join(", ", Enumerable.Range(0, 11).Select(i => $"{(char)('A' + i)} (brand)")), AuditStates.Completed, "Z (brand)"),
            ("unknown", "–", "B (competitor)"),
        ];
        foreach (var (above, parentState, request) in cases)
        {
            Ancestor[] ancestry = above is "–" or "unknown" ? [] : [.. above.Split(", ").Select(BrandAndKind).Select(a => new Ancestor(Guid.NewGuid(), a.Brand, a.Kind))];
            var parent = ancestry.Length == 0 ? null : new ParentFacts(ancestry[^1].AuditId, parentState, ancestry[^1].BrandKey, ancestry[^1].Kind, ancestry[0].AuditId, ancestry[..^1]);
            var (brand, kind) = BrandAndKind(request);
            var failed = parentState == AuditStates.Failed ? new HashSet<Guid> { ancestry[^1].AuditId } : [];
            var (lineage, refusal) = LineageRules.Judge(Guid.NewGuid(), brand, kind, above == "–" ? null : parent?.AuditId ?? Guid.NewGuid(), parent, failed, new AuditSagaOptions().MaxDepth);
            yield return $"| {above} | {parentState} | {request} | {(lineage is null ? refusal!.Reason : $"allowed, depth {lineage.Depth}")} |";
        }
    }

    static (string Brand, string Kind) BrandAndKind(string text) => (text.Split(' ')[0], text.Split('(', ')')[1]);

    static async Task ApprovedAsync(string document)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Assay.slnx")))
            root = root.Parent ?? throw new InvalidOperationException("The test must run inside the repository: Assay.slnx was not found above its folder.");
        var approved = Path.Combine(root.FullName, "docs", "state-machine.md");
        var received = Path.Combine(root.FullName, "docs", "state-machine.received.md");
        document = document.ReplaceLineEndings("\n");
        if (File.Exists(approved) && (await File.ReadAllTextAsync(approved)).ReplaceLineEndings("\n") == document)
        {
            File.Delete(received);
            return;
        }

        await File.WriteAllTextAsync(received, document);
        Assert.Fail("The machine does something else than docs/state-machine.md says. Compare it with docs/state-machine.received.md; if the new behaviour is meant, move that file over it.");
    }
}
