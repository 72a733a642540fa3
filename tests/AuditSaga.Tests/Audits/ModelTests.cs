using System.Text;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Audits;

/// <summary>
/// Random lives of an audit: messages delivered, duplicated, reordered, dropped, timers early, late or never, faults, cancels, retries,
/// crashed instances. After every step the row must be free of contradictions; in the end there is one terminal state, never left.
/// </summary>
public class When_anything_may_happen
{
    /// <summary>One thing that happens; the number chooses among what is possible just then.</summary>
    public enum Happening { Deliver, DeliverAgain, DeliverOld, Drop, Crash, WaitAMinute, FireTimers, TimerEarly, Fault, Sign, Cancel, Retry, RequestAgain }

    public sealed record Step(Happening What, int Which);

    static readonly Gen<Step> Steps =
        from what in Gen.Frequency(
            (20, Gen.Constant(Happening.Deliver)), (4, Gen.Constant(Happening.DeliverAgain)), (4, Gen.Constant(Happening.DeliverOld)), (1, Gen.Constant(Happening.Drop)),
            (3, Gen.Constant(Happening.Crash)), (3, Gen.Constant(Happening.WaitAMinute)), (2, Gen.Constant(Happening.FireTimers)), (1, Gen.Constant(Happening.TimerEarly)),
            (1, Gen.Constant(Happening.Fault)), (3, Gen.Constant(Happening.Sign)), (1, Gen.Constant(Happening.Cancel)), (2, Gen.Constant(Happening.Retry)), (1, Gen.Constant(Happening.RequestAgain)))
        from which in Gen.Choose(0, 1000)
        select new Step(what, which);

    [Fact]
    public async Task Should_end_once_and_never_contradict_itself()
    {
        // FsCheck's runner is synchronous; the lives are drawn from it and led here, so that nothing blocks.
        const int Lives = 40;
        var seed = Environment.GetEnvironmentVariable("ASSAY_SEED") is { } given ? ulong.Parse(given, System.Globalization.CultureInfo.InvariantCulture) : (ulong)Random.Shared.NextInt64();
        var lives = Steps.ArrayOf(60).Sample(60, new Rnd(seed), Lives).ToArray();
        await using var bench = await AuditBench.CreateAsync();
        var ends = new HashSet<string>(StringComparer.Ordinal);
        for (var life = 0; life < lives.Length; life++)
        {
            var walk = new RandomLife(bench, Given.Request($"Brand{life}"));
            try
            {
                ends.Add(await walk.LeadAsync(lives[life]));
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {seed}, life {life} broke a rule after\n{walk.Story}", exception);
            }
        }

        ends.ShouldContain(AuditStates.Completed);
        ends.ShouldContain(AuditStates.Failed);
    }

    sealed class RandomLife(AuditBench bench, RequestAudit request)
    {
        readonly List<object> inbox = [];
        readonly List<object> delivered = [];
        readonly StringBuilder story = new();
        int seen = bench.Said.Count;
        int liveAttempt;

        public string Story => story.ToString();

        Guid Id => request.AuditId;

        public async Task<string> LeadAsync(Step[] steps)
        {
            await DeliverAsync(request);
            foreach (var step in steps)
            {
                story.AppendLine($"{step.What} {step.Which}");
                await TakeAsync(step);
                await CheckAsync();
            }

            // Whatever is left undone, the timers alone bring it to an end.
            for (var round = 0; round < 8 && (await bench.RowAsync(Id)).IsLive; round++)
            {
                bench.Clock.Advance(31);
                await bench.FireDueTimersAsync();
                Listen();
                await CheckAsync();
            }

            var end = await bench.RowAsync(Id);
            end.IsLive.ShouldBeFalse("the timers must end it");
            (await bench.QueryAsync(db => db.LiveAudits.CountAsync(live => live.AuditId == Id))).ShouldBe(0);
            return end.CurrentState;
        }

        async Task TakeAsync(Step step)
        {
            switch (step.What)
            {
                case Happening.Deliver when inbox.Count > 0:
                    await DeliverAsync(TakeOut(step.Which));
                    break;
                case Happening.DeliverAgain when inbox.Count > 0:
                    var twice = TakeOut(step.Which);
                    await DeliverAsync(twice);
                    await DeliverAsync(twice);
                    break;
                case Happening.DeliverOld when delivered.Count > 0:
                    await DeliverAsync(delivered[step.Which % delivered.Count]);
                    break;
                case Happening.Drop when inbox.Count > 0:
                    TakeOut(step.Which);
                    break;
                case Happening.Crash when inbox.Count > 0:
                    // The broker still has the message after the instance died.
                    await bench.TryAsync(inbox[step.Which % inbox.Count]);
                    break;
                case Happening.WaitAMinute:
                    bench.Clock.Advance(1);
                    break;
                case Happening.FireTimers:
                    await bench.FireDueTimersAsync();
                    break;
                case Happening.TimerEarly:
                    await DeliverAsync(step.Which % 2 == 0 ? new AuditStalled { AuditId = Id, Attempt = liveAttempt } : new AuditDeadlinePassed { AuditId = Id, Attempt = liveAttempt });
                    break;
                case Happening.Fault:
                    var commands = bench.Said.Where(IsMine).Select(FaultOf).OfType<object>().ToArray();
                    if (commands.Length > 0)
                        await DeliverAsync(commands[step.Which % commands.Length]);
                    break;
                case Happening.Sign:
                    var batches = bench.All<AskEngine>().Where(IsMine).ToArray();
                    var batch = batches.Length == 0 ? null : batches[step.Which % batches.Length];
                    await DeliverAsync(Given.Alive(Id, batch?.Attempt ?? liveAttempt, batch?.BatchId, step.Which % 4, step.Which % 3 == 0 ? "breaker" : null));
                    break;
                case Happening.Cancel:
                    await DeliverAsync(Given.Cancel(Id));
                    break;
                case Happening.Retry:
                    await DeliverAsync(Given.Retry(Id, Math.Max(1, (await bench.RowAsync(Id)).Attempt - step.Which % 2)) with { AskInDoubtAgain = step.Which % 5 == 0 });
                    break;
                case Happening.RequestAgain:
                    await DeliverAsync(step.Which % 3 == 0 ? request with { Runs = 2 } : request);
                    break;
            }

            Listen();
        }

        object TakeOut(int which)
        {
            var message = inbox[which % inbox.Count];
            inbox.Remove(message);
            return message;
        }

        async Task DeliverAsync(object message)
        {
            story.AppendLine($"  {message.GetType().Name}");
            await bench.DeliverAnyAsync(message);
            delivered.Add(message);
            Listen();
        }

        /// <summary>The other services answer every command they hear, sometimes badly.</summary>
        void Listen()
        {
            for (; seen < bench.Said.Count; seen++)
                if (IsMine(bench.Said[seen]) && AnswerTo(bench.Said[seen]) is { } answer)
                    inbox.Add(answer);
        }

        bool IsMine(object message) => message.GetType().GetProperty(nameof(RequestAudit.AuditId))!.GetValue(message) is Guid id && id == Id;

        object? AnswerTo(object message) => message switch
        {
            OpenBudget m => m.Attempt == 2 && m.AskInDoubtAgain ? Given.Refused(Id, m.Attempt, RejectionReasons.SpendingHalted) : Given.Opened(Id, m.Attempt),
            PlanQueries m => Given.Planned(Id, m.Attempt),
            AskEngine m => Given.Analyzed(m, valid: m.BatchId.GetHashCode() % 5 == 0 ? 1 : null),
            ScoreAudit m => Given.Scored(Id, m.Attempt),
            DraftInsights m => Given.Drafted(Id, m.Layer, m.Attempt),
            PublishReport m => Given.Published(Id, m.Attempt),
            _ => null,
        };

        static object? FaultOf(object message) => message switch
        {
            OpenBudget m => Given.Fault(m),
            PlanQueries m => Given.Fault(m),
            AskEngine m => Given.Fault(m),
            ScoreAudit m => Given.Fault(m),
            DraftInsights m => Given.Fault(m),
            PublishReport m => Given.Fault(m),
            _ => null,
        };

        async Task CheckAsync()
        {
            var row = await bench.RowAsync(Id);
            liveAttempt = row.Attempt;
            var said = bench.Said.Where(IsMine).ToArray();

            row.CompletedCalls.ShouldBeInRange(0, Math.Max(row.PanelCalls, row.CompletedCalls));
            row.OpenBatches.Keys.ShouldAllBe(id => row.BatchIds.Contains(id));
            row.CountedAttempts.ShouldBeInRange(1, 3);
            if (row.CurrentState == AuditStates.Completed)
            {
                row.Scores.ShouldNotBeNull();
                row.CompletedAt.ShouldNotBeNull();
                row.OpenBatches.ShouldBeEmpty();
                row.AnswersComplete.ShouldBeTrue();
            }

            // Completed at most once, and finally: nothing is asked for afterwards. A repeated request repeats the event only.
            var steps = said.OfType<AuditTransitioned>().ToArray();
            steps.Count(step => step.To == AuditStates.Completed).ShouldBeLessThanOrEqualTo(1);
            steps.ShouldAllBe(step => step.From != AuditStates.Completed);
            steps.Select(step => step.Sequence).ShouldBe(Enumerable.Range(1, steps.Length));

            // Every attempt ends at most once, and says so once in its own words.
            foreach (var attempt in steps.GroupBy(step => step.Attempt))
                attempt.Count(step => AuditPhases.Terminal.Contains(step.To)).ShouldBeLessThanOrEqualTo(1);

            // No command of an attempt after its end, except the one that closes its budget.
            foreach (var end in steps.Where(step => AuditPhases.Terminal.Contains(step.To)))
                said.Skip(Array.IndexOf(said, end) + 1).ShouldNotContain(message => IsCommandOf(message, end.Attempt));
            // A live audit holds its guard row and its two timers; an ended one neither.
            (await bench.QueryAsync(db => db.LiveAudits.CountAsync(live => live.AuditId == Id))).ShouldBe(row.IsLive ? 1 : 0);
            bench.Timers.Values.Count(timer => IsMine(timer.Message)).ShouldBe(row.IsLive ? 2 : 0);
        }

        static bool IsCommandOf(object message, int attempt) => message switch
        {
            OpenBudget m => m.Attempt == attempt,
            PlanQueries m => m.Attempt == attempt,
            AskEngine m => m.Attempt == attempt,
            ScoreAudit m => m.Attempt == attempt,
            DraftInsights m => m.Attempt == attempt,
            PublishReport m => m.Attempt == attempt,
            _ => false,
        };
    }
}
