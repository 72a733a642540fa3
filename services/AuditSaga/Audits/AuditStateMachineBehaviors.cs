using System.Globalization;
using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Retry;
using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Audits;

/// <summary>The verbs of the state machine. Each decides by the state's own members and says what it has to say; all in the saga's transaction.</summary>
static class AuditStateMachineBehaviors
{
    // Admission

    public static EventActivityBinder<AuditState, RequestAudit> Admit(this EventActivityBinder<AuditState, RequestAudit> binder, AuditStateMachine machine) => binder
        .IfElseAsync(JudgeRequestAsync,
            admitted => admitted.StartTimers(machine).OpenBudget().TransitionTo(machine.Admitting),
            refused => refused.Reject(machine));

    static async Task<bool> JudgeRequestAsync(BehaviorContext<AuditState, RequestAudit> x)
    {
        var guards = x.Service<AdmissionGuards>();
        var refusal = await guards.AdmitAsync(x.Saga, x.Message, x.CancellationToken);
        if (x.Saga.PanelHash.Length > 0)
            await x.Publish(x.Saga.Registered(x.Message.Normalised()), x.CancellationToken);
        if (refusal is not null)
            x.Saga.Refuse(refusal);
        return refusal is null;
    }

    public static EventActivityBinder<AuditState, BudgetOpened> AcceptAndResume(this EventActivityBinder<AuditState, BudgetOpened> binder, AuditStateMachine machine) => binder
        .IfElseAsync(JudgeOpenedAsync,
            accepted => accepted.Publish(x => x.Saga.Accepted()).Resume(machine),
            refused => refused.Publish(x => x.Saga.CloseBudget(x.Saga.FailureReason!)).Reject(machine));

    static async Task<bool> JudgeOpenedAsync(BehaviorContext<AuditState, BudgetOpened> x)
    {
        var request = await x.RequestAsync();
        var content = x.Saga.ContentHash ?? RequestHashes.OfContent(request, x.Message.Pins);
        // An audit that was accepted before is going on; only a new one may be told that its result exists.
        var existing = x.Saga.ContentHash is null ? await x.Service<AdmissionGuards>().JudgeExistingAsync(x.Saga, content, x.CancellationToken) : null;
        if (existing is not null)
            x.Saga.Refuse(existing);
        else
            x.Saga.Accept(x.Message, content, x.Now());
        return existing is null;
    }

    public static EventActivityBinder<AuditState, BudgetRefused> RefuseByGateway(this EventActivityBinder<AuditState, BudgetRefused> binder, AuditStateMachine machine) => binder
        .IfElse(x => x.Saga.IsRetry,
            retry => retry
                .PublishRefusal(x => new Refusal(x.Message.Reason, x.Message.Detail))
                .Then(x => x.Saga.UncountedAttempts++)
                .Fail(machine, FailureReasons.BudgetRefused, x => $"{x.Message.Reason}: {x.Message.Detail}", Enders.Gateway),
            first => first
                .Then(x => x.Saga.Refuse(new Refusal(x.Message.Reason, x.Message.Detail)))
                .Reject(machine));

    static EventActivityBinder<AuditState, T> Reject<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .StopTimers(machine)
        .ThenAsync(async x =>
        {
            await x.Service<AdmissionGuards>().GiveBackAsync(x.Saga, x.CancellationToken);
            x.Saga.Reject(x.Now());
            await x.CountRefusalAsync(x.Saga.FailureReason!);
            await x.Publish(x.Saga.Rejected(), x.CancellationToken);
        })
        .TransitionTo(machine.Rejected);

    static EventActivityBinder<AuditState, T> PublishRefusal<T>(this EventActivityBinder<AuditState, T> binder, Func<BehaviorContext<AuditState, T>, Refusal> refusal) where T : class => binder
        .ThenAsync(x => x.SayRefusedAsync(refusal(x)));

    static EventActivityBinder<AuditState, T> OpenBudget<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .ThenAsync(async x =>
        {
            var tree = await x.Service<AdmissionGuards>().TreeAsync(x.Saga, x.CancellationToken);
            x.Saga.BudgetAsked = true;
            await x.Publish(x.Saga.OpenBudget(await x.RequestAsync(), tree), x.CancellationToken);
        });

    /// <summary>Goes to the first phase whose output is missing.</summary>
    static EventActivityBinder<AuditState, BudgetOpened> Resume(this EventActivityBinder<AuditState, BudgetOpened> binder, AuditStateMachine machine) => binder
        .If(x => x.Saga.FirstMissingPhase == AuditStates.Planning, x => x.PlanQueries().TransitionTo(machine.Planning))
        .If(x => x.Saga.FirstMissingPhase == AuditStates.Asking, x => x.AskEngines(machine))
        .If(x => x.Saga.FirstMissingPhase == AuditStates.Scoring, x => x.ScoreAudit().TransitionTo(machine.Scoring))
        .If(x => x.Saga.FirstMissingPhase == AuditStates.Advising, x => x.DraftNextLayer().TransitionTo(machine.Advising))
        .If(x => x.Saga.FirstMissingPhase == AuditStates.Publishing, x => x.PublishReport().TransitionTo(machine.Publishing));

    // The phases

    static EventActivityBinder<AuditState, T> PlanQueries<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .ThenAsync(async x => await x.Publish(x.Saga.PlanQueries(await x.RequestAsync()), x.CancellationToken));

    public static EventActivityBinder<AuditState, QueriesPlanned> KeepPlan(this EventActivityBinder<AuditState, QueriesPlanned> binder, AuditStateMachine machine) => binder
        .ThenAsync(async x =>
        {
            if (x.Message.Queries.Count == 0)
                return;
            var request = await x.RequestAsync();
            x.Service<AuditSagaDbContext>().AuditPlans.Add(new AuditPlan { AuditId = x.Saga.CorrelationId, PlanId = x.Message.PlanId, Source = x.Message.Source, Queries = x.Message.Queries });
            x.Saga.KeepPlan(x.Message, x.Message.Queries.Count * request.Engines.Count * request.Runs, x.Now());
        });

    public static EventActivityBinder<AuditState, T> AskEngines<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .IfElse(x => x.Saga.IsPlanned,
            planned => planned
                .ThenAsync(async x =>
                {
                    var batches = Batches.Of(x.Saga, await x.RequestAsync(), await x.PlannedQueriesAsync(), x.Options().BatchSize, NewId.NextSequentialGuid);
                    x.Saga.OpenAsking(batches.Select(batch => batch.BatchId), x.Now());
                    await x.PublishBatch(batches, x.CancellationToken);
                })
                .TransitionTo(machine.Asking),
            unplanned => unplanned.Fail(machine, FailureReasons.PlanFailed, x => x.Message is QueriesPlanned { Problem: { } problem } ? problem : $"No query could be planned for {x.Saga.BrandName} (audit {x.Saga.CorrelationId}). Give queries of your own, or an industry to plan for.", Enders.Coverage));

    public static EventActivityBinder<AuditState, AnswersAnalyzed> CloseBatch(this EventActivityBinder<AuditState, AnswersAnalyzed> binder) => binder
        .Then(x => x.Saga.CloseBatch(x.Message, x.Now()));

    public static EventActivityBinder<AuditState, AnswersAnalyzed> ScoreOnceSettled(this EventActivityBinder<AuditState, AnswersAnalyzed> binder, AuditStateMachine machine) => binder
        .If(x => x.Saga.IsSettled, settled => settled
            .IfElse(x => x.Saga.CoverageShortfall() is null,
                enough => enough.Then(x => x.Saga.AnswersComplete = true).ScoreAudit().TransitionTo(machine.Scoring),
                short_ => short_.Fail(machine, FailureReasons.InsufficientCoverage, x => x.Saga.CoverageShortfall()!, Enders.Coverage)));

    static EventActivityBinder<AuditState, T> ScoreAudit<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .Publish(x => x.Saga.ScoreAudit());

    public static EventActivityBinder<AuditState, AuditScored> KeepScores(this EventActivityBinder<AuditState, AuditScored> binder) => binder
        .Then(x => x.Saga.KeepScores(x.Message, x.Now()));

    public static EventActivityBinder<AuditState, T> DraftNextLayer<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .Publish(x => x.Saga.DraftNextLayer());

    public static EventActivityBinder<AuditState, InsightsDrafted> KeepLayer(this EventActivityBinder<AuditState, InsightsDrafted> binder, AuditStateMachine machine) => binder
        .If(x => x.Saga.KeepLayer(x.Message, x.Now()), kept => kept
            .ReportProgress()
            .IfElse(x => x.Saga.IsAdvised,
                all => all.PublishReport().TransitionTo(machine.Publishing),
                more => more.DraftNextLayer()));

    static EventActivityBinder<AuditState, T> PublishReport<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .Publish(x => x.Saga.PublishReport());

    // Life

    public static EventActivityBinder<AuditState, BatchAlive> NoteLife(this EventActivityBinder<AuditState, BatchAlive> binder) => binder
        .Then(x => x.Saga.NoteLife(x.Message, x.Now()));

    public static EventActivityBinder<AuditState, BudgetReported> NoteSpending(this EventActivityBinder<AuditState, BudgetReported> binder) => binder
        .Then(x => x.Saga.NoteSpending(x.Message))
        .ThenAsync(x => AlertRules.OnReport(x.Message, x.Now()) is { } alert ? x.RaiseAsync(alert) : Task.CompletedTask);

    public static EventActivityBinder<AuditState, T> ReportProgress<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .If(x => x.Saga.TakeProgressTurn(x.Now(), x.Options().ProgressInterval), turn => turn.Publish(x => x.Saga.Progressed()));

    static EventActivityBinder<AuditState, T> StartTimers<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .ArmStall(machine)
        .ArmDeadline(machine);

    static EventActivityBinder<AuditState, T> StopTimers<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .Unschedule(machine.Stall)
        .Unschedule(machine.Deadline);

    static EventActivityBinder<AuditState, T> ArmStall<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .Schedule(machine.Stall, x => new AuditStalled { AuditId = x.Saga.CorrelationId, Attempt = x.Saga.Attempt }, x => x.Saga.StallsAt(x.Options().StallTimeout));

    static EventActivityBinder<AuditState, T> ArmDeadline<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .Schedule(machine.Deadline, x => new AuditDeadlinePassed { AuditId = x.Saga.CorrelationId, Attempt = x.Saga.Attempt }, x => x.Saga.DeadlineAt);

    /// <summary>The timer is not moved by every sign of life: it fires, looks at the row, and is armed again if it came too early.</summary>
    public static EventActivityBinder<AuditState, AuditStalled> FailOnceStalled(this EventActivityBinder<AuditState, AuditStalled> binder, AuditStateMachine machine) => binder
        .IfElse(x => x.Saga.IsStalled(x.Now(), x.Options().StallTimeout),
            stalled => stalled.Fail(machine, FailureReasons.Stalled, x => x.Saga.StallDetail(x.Options().StallTimeout), Enders.Timeout),
            alive => alive.ArmStall(machine));

    public static EventActivityBinder<AuditState, AuditDeadlinePassed> FailOnceOverdue(this EventActivityBinder<AuditState, AuditDeadlinePassed> binder, AuditStateMachine machine) => binder
        .IfElse(x => x.Saga.IsOverdue(x.Now()),
            overdue => overdue.Fail(machine, FailureReasons.DeadlinePassed, x => x.Saga.DeadlineDetail(x.Now()), Enders.Timeout),
            early => early.ArmDeadline(machine));

    // Ends

    public static EventActivityBinder<AuditState, Fault<T>> FailByFault<T>(this EventActivityBinder<AuditState, Fault<T>> binder, AuditStateMachine machine) where T : class => binder
        .Fail(machine, FailureReasons.Fault, x => FaultDetail(x.Message, x.Saga), Enders.Fault);

    static string FaultDetail<T>(Fault<T> fault, AuditState audit)
    {
        return string.Create(CultureInfo.InvariantCulture,
            $"{typeof(T).Name} of audit {audit.CorrelationId} (attempt {audit.Attempt}, phase {audit.CurrentState}) was given up by {fault.Host?.ProcessName ?? "its service"} on {fault.Host?.MachineName ?? "an unknown machine"} after all its redeliveries: {CauseOf(fault)}. The message lies in that service's _error queue; mend the cause, then retry the audit.");
    }

    static string CauseOf(Fault fault) => fault.Exceptions?.FirstOrDefault() is { } exception ? $"{exception.ExceptionType}: {exception.Message}" : "no cause was given";

    static EventActivityBinder<AuditState, T> Fail<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine, string reason, Func<BehaviorContext<AuditState, T>, string> detail, string endedBy) where T : class => binder
        .Then(x => x.Saga.Fail(reason, detail(x), endedBy, x.Now()))
        .End(machine)
        .Publish(x => x.Saga.Failed())
        .TransitionTo(machine.Failed);

    public static EventActivityBinder<AuditState, CancelAudit> Cancel(this EventActivityBinder<AuditState, CancelAudit> binder, AuditStateMachine machine) => binder
        .Then(x => x.Saga.Cancel(x.Message, x.Now()))
        .EndCancelled(machine);

    /// <summary>A retry overtook the deletion of its audit: nothing may be paid for a result that nobody can see.</summary>
    public static EventActivityBinder<AuditState, AnswersErased> CancelErased(this EventActivityBinder<AuditState, AnswersErased> binder, AuditStateMachine machine) => binder
        .Then(x => x.Saga.Cancel("The audit was deleted.", x.Now()))
        .NoteErasure()
        .EndCancelled(machine);

    static EventActivityBinder<AuditState, T> EndCancelled<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .End(machine)
        .Publish(x => x.Saga.Cancelled())
        .TransitionTo(machine.Cancelled);

    /// <summary>From now on nothing points to this audit's result.</summary>
    public static EventActivityBinder<AuditState, AnswersErased> NoteErasure(this EventActivityBinder<AuditState, AnswersErased> binder) => binder
        .Then(x => x.Saga.ErasedAt ??= x.Now());

    /// <summary>State, time, scores, event, guard row, budget and children: one transaction.</summary>
    public static EventActivityBinder<AuditState, ReportPublished> Complete(this EventActivityBinder<AuditState, ReportPublished> binder, AuditStateMachine machine) => binder
        .Then(x => x.Saga.Complete(x.Now()))
        .End(machine)
        .Publish(x => x.Saga.Completed())
        .If(x => x.Saga.AuditCompetitors, x => x.RequestChildren())
        .TransitionTo(machine.Completed);

    static EventActivityBinder<AuditState, T> RequestChildren<T>(this EventActivityBinder<AuditState, T> binder) where T : class => binder
        .ThenAsync(async x => await x.PublishBatch(ChildAudits.Of(await x.RequestAsync()), x.CancellationToken));

    static EventActivityBinder<AuditState, T> End<T>(this EventActivityBinder<AuditState, T> binder, AuditStateMachine machine) where T : class => binder
        .StopTimers(machine)
        .ThenAsync(x => x.Service<AdmissionGuards>().LeaveLiveAsync(x.Saga.CorrelationId, x.CancellationToken))
        .Publish(x => x.Saga.CloseBudget(x.Saga.FailureReason ?? x.Saga.EndedBy!));

    /// <summary>The audit has ended all the same, and the gateway closes budgets past their deadline by itself; but a person should look.</summary>
    public static EventActivityBinder<AuditState, Fault<CloseBudget>> TellBudgetStaysOpen(this EventActivityBinder<AuditState, Fault<CloseBudget>> binder) => binder
        .ThenAsync(x => x.RaiseAsync(AlertRules.BudgetNotClosed(x.Saga, CauseOf(x.Message), x.Now())));

    // Repetition

    /// <summary>The same id with the same content is told the present state again; with other content it is refused. Either way the audit is untouched.</summary>
    public static EventActivityBinder<AuditState, RequestAudit> AnswerAgain(this EventActivityBinder<AuditState, RequestAudit> binder) => binder
        .ThenAsync(x => RequestHashes.OfRequest(x.Message) == x.Saga.RequestHash
            ? x.SayPresentStateAsync()
            : x.SayRefusedAsync(Refusal.AuditIdReused(x.Saga.CorrelationId, x.Saga.CurrentState)));

    static Task SayPresentStateAsync(this BehaviorContext<AuditState> x) => x.Saga.CurrentState switch
    {
        AuditStates.Completed => x.Publish(x.Saga.Completed(), x.CancellationToken),
        AuditStates.Failed => x.Publish(x.Saga.Failed(), x.CancellationToken),
        AuditStates.Cancelled => x.Publish(x.Saga.Cancelled(), x.CancellationToken),
        _ when x.Saga.AcceptedAt is not null => x.Publish(x.Saga.Accepted(), x.CancellationToken),
        // Still being admitted: the answer is on its way.
        _ => Task.CompletedTask,
    };

    public static EventActivityBinder<AuditState, RetryAudit> Retry(this EventActivityBinder<AuditState, RetryAudit> binder, AuditStateMachine machine) => binder
        .IfAsync(TakeRetryAsync, retry => retry.StartTimers(machine).OpenBudget().TransitionTo(machine.Admitting));

    static async Task<bool> TakeRetryAsync(BehaviorContext<AuditState, RetryAudit> x)
    {
        var guards = x.Service<AdmissionGuards>();
        var refusal = RetryRules.Judge(x.Saga, x.Message, x.Options().MaxAttempts) ?? await guards.TakeLiveAsync(x.Saga, x.CancellationToken);
        if (refusal is not null)
        {
            await x.SayRefusedAsync(refusal);
            return false;
        }

        var raisedBy = x.Saga.StartRetry(x.Message, x.Now());
        if (raisedBy > 0)
            await guards.RaiseTreeAsync(x.Saga, raisedBy, x.CancellationToken);
        await x.Publish(x.Saga.Registered(await x.RequestAsync()), x.CancellationToken);
        return true;
    }

    public static EventActivityBinder<AuditState, RetryAudit> RefuseRetry(this EventActivityBinder<AuditState, RetryAudit> binder) => binder
        .ThenAsync(x => x.SayRefusedAsync(RetryRules.Judge(x.Saga, x.Message, x.Options().MaxAttempts)
            ?? throw new InvalidOperationException($"A retry of audit {x.Saga.CorrelationId} in state {x.Saga.CurrentState} was to be refused, but the rules allow it; this is a bug of the state machine.")));

    /// <summary>The second click of a double click is told what the first one started.</summary>
    public static EventActivityBinder<AuditState, RetryAudit> AnswerRetryWhileLive(this EventActivityBinder<AuditState, RetryAudit> binder) => binder
        .IfElse(x => x.Message.FromAttempt == x.Saga.Attempt - 1,
            twice => twice.ThenAsync(x => x.SayPresentStateAsync()),
            other => other.RefuseRetry());

    public static Task RefuseUnknownRetry(this ConsumeContext<RetryAudit> x) => x.Publish(new AuditRejected
    {
        AuditId = x.Message.AuditId,
        Reason = RejectionReasons.NotRetryable,
        Detail = $"No audit {x.Message.AuditId} is known, so it cannot be retried. Check the id, or send the request again.",
        RejectedAt = x.Service<TimeProvider>().GetUtcNow().UtcDateTime,
    }, x.CancellationToken);

    static async Task SayRefusedAsync(this BehaviorContext<AuditState> x, Refusal refusal)
    {
        await x.CountRefusalAsync(refusal.Reason);
        await x.Publish(x.Saga.Refused(refusal, x.Now()), x.CancellationToken);
    }

    static async Task CountRefusalAsync(this BehaviorContext<AuditState> x, string reason)
    {
        x.Service<AuditSagaMetrics>().Refused(reason);
        if (x.Service<RefusalRate>().Count(reason) is { } tooMany)
            await x.RaiseAsync(tooMany);
    }

    /// <summary>Tells a person, in the transaction of what there is to tell.</summary>
    public static Task RaiseAsync(this BehaviorContext<AuditState> x, AlertRaised alert)
    {
        x.Service<AuditSagaMetrics>().Raised(alert);
        return x.Publish(alert, x.CancellationToken);
    }

    // What verbs need

    /// <summary>A service of the scope whose DbContext holds this message's transaction.</summary>
    public static T Service<T>(this PipeContext x) where T : notnull => x.GetPayload<IServiceProvider>().GetRequiredService<T>();

    static DateTime Now(this PipeContext x) => x.Service<TimeProvider>().GetUtcNow().UtcDateTime;

    static AuditSagaOptions Options(this PipeContext x) => x.Service<IOptions<AuditSagaOptions>>().Value;

    static async Task<RequestAudit> RequestAsync(this BehaviorContext<AuditState> x) =>
        (await x.Service<AuditSagaDbContext>().AuditRequests.FindAsync([x.Saga.CorrelationId], x.CancellationToken))?.Request
        ?? throw new InvalidOperationException($"The request of audit {x.Saga.CorrelationId} is missing from table audit_request; it cannot go on. Restore the row, or cancel the audit and send it again.");

    static async Task<IReadOnlyList<PlannedQuery>> PlannedQueriesAsync(this BehaviorContext<AuditState> x) =>
        (await x.Service<AuditSagaDbContext>().AuditPlans.FindAsync([x.Saga.CorrelationId], x.CancellationToken))?.Queries
        ?? throw new InvalidOperationException($"The plan of audit {x.Saga.CorrelationId} is missing from table audit_plan; it cannot go on. Restore the row, or cancel the audit and send it again.");
}
