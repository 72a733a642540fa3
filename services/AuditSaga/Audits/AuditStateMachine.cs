using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.Extensions.Options;
using static Assay.AuditSaga.Audits.AttemptFence;

namespace Assay.AuditSaga.Audits;

/// <summary>The life of an audit. Read the constructor as a table: state, message, what happens, next state.</summary>
sealed class AuditStateMachine : MassTransitStateMachine<AuditState>
{
    public AuditStateMachine(IOptions<AuditSagaOptions> options, AuditTransitionObserver transitions)
    {
        InstanceState(x => x.CurrentState);
        CorrelateMessages(options.Value);
        ConnectStateObserver(transitions);
        State[] live = [Admitting, Planning, Asking, Scoring, Advising, Publishing];

        Initially(When(Requested).Admit(this));
        During(Rejected, When(Requested).Admit(this));

        During(Admitting,
            When(Opened, ThisAttempt).AcceptAndResume(this),
            When(Refused, ThisAttempt).RefuseByGateway(this),
            When(OpeningFaulted, ThisAttempt).FailByFault(this));
        During(Planning,
            When(Planned, ThisAttempt).KeepPlan(this).AskEngines(this),
            When(PlanningFaulted, ThisAttempt).FailByFault(this),
            When(AskingFaulted, ForOpenWork).FailByFault(this),
            When(AnalysisFaulted, ForOpenWork).FailByFault(this));
        During(Asking,
            When(Analyzed, ThisAttempt).CloseBatch().ReportProgress().ScoreOnceSettled(this),
            When(AskingFaulted, ForOpenWork).FailByFault(this),
            When(AnalysisFaulted, ForOpenWork).FailByFault(this));
        During(Scoring,
            When(Scored, ThisAttempt).KeepScores().DraftNextLayer().TransitionTo(Advising),
            When(ScoringFaulted, ThisAttempt).FailByFault(this));
        During(Advising,
            When(Drafted, ThisAttempt).KeepLayer(this),
            When(DraftingFaulted, ThisAttempt).FailByFault(this),
            When(AskingFaulted, ForOpenWork).FailByFault(this),
            When(AnalysisFaulted, ForOpenWork).FailByFault(this));
        During(Publishing,
            When(Published, ThisAttempt).Complete(this),
            When(PublishingFaulted, ThisAttempt).FailByFault(this));

        foreach (var phase in live)
            During(phase,
                When(Alive, ThisAttempt).NoteLife().ReportProgress(),
                When(Stall.Received, ThisAttempt).FailOnceStalled(this),
                When(Deadline.Received, ThisAttempt).FailOnceOverdue(this),
                When(CancelRequested).Cancel(this),
                When(Erased).CancelErased(this),
                When(Requested).AnswerAgain(),
                When(RetryRequested).AnswerRetryWhileLive());

        During([Failed, Cancelled], When(RetryRequested).Retry(this), When(Requested).AnswerAgain());
        During(Completed, When(RetryRequested).RefuseRetry(), When(Requested).AnswerAgain());
        During(Rejected, When(RetryRequested).RefuseRetry());
        During([Completed, Failed, Cancelled], When(Erased).NoteErasure());
        During([Completed, Failed, Cancelled, Rejected], When(ClosingFaulted, ThisAttempt).TellBudgetStaysOpen());
        DuringAny(When(SpendingReported).NoteSpending());

        // What comes late, twice or from a phase that is over changes nothing.
        foreach (var state in (State[])[.. live, Completed, Failed, Cancelled, Rejected])
            IgnoreTheRest(state);
    }

    public State Admitting { get; } = null!;
    public State Planning { get; } = null!;
    public State Asking { get; } = null!;
    public State Scoring { get; } = null!;
    public State Advising { get; } = null!;
    public State Publishing { get; } = null!;
    public State Completed { get; } = null!;
    public State Failed { get; } = null!;
    public State Cancelled { get; } = null!;
    public State Rejected { get; } = null!;

    public Event<RequestAudit> Requested { get; } = null!;
    public Event<CancelAudit> CancelRequested { get; } = null!;
    public Event<RetryAudit> RetryRequested { get; } = null!;
    public Event<BudgetOpened> Opened { get; } = null!;
    public Event<BudgetRefused> Refused { get; } = null!;
    public Event<BudgetReported> SpendingReported { get; } = null!;
    public Event<BatchAlive> Alive { get; } = null!;
    public Event<QueriesPlanned> Planned { get; } = null!;
    public Event<AnswersAnalyzed> Analyzed { get; } = null!;
    public Event<AuditScored> Scored { get; } = null!;
    public Event<InsightsDrafted> Drafted { get; } = null!;
    public Event<ReportPublished> Published { get; } = null!;
    public Event<AnswersErased> Erased { get; } = null!;
    public Event<Fault<OpenBudget>> OpeningFaulted { get; } = null!;
    public Event<Fault<PlanQueries>> PlanningFaulted { get; } = null!;
    public Event<Fault<AskEngine>> AskingFaulted { get; } = null!;
    public Event<Fault<EngineAnswered>> AnalysisFaulted { get; } = null!;
    public Event<Fault<ScoreAudit>> ScoringFaulted { get; } = null!;
    public Event<Fault<DraftInsights>> DraftingFaulted { get; } = null!;
    public Event<Fault<PublishReport>> PublishingFaulted { get; } = null!;
    public Event<Fault<CloseBudget>> ClosingFaulted { get; } = null!;
    public Schedule<AuditState, AuditStalled> Stall { get; } = null!;
    public Schedule<AuditState, AuditDeadlinePassed> Deadline { get; } = null!;

    void CorrelateMessages(AuditSagaOptions options)
    {
        Event(() => Requested, x => x.CorrelateById(m => m.Message.AuditId));
        Event(() => CancelRequested, x => Known(x, m => m.AuditId));
        Event(() => RetryRequested, x =>
        {
            x.CorrelateById(m => m.Message.AuditId);
            x.OnMissingInstance(missing => missing.ExecuteAsync(m => m.RefuseUnknownRetry()));
        });
        Event(() => Opened, x => Known(x, m => m.AuditId));
        Event(() => Refused, x => Known(x, m => m.AuditId));
        Event(() => SpendingReported, x => Known(x, m => m.AuditId));
        Event(() => Alive, x => Known(x, m => m.AuditId));
        Event(() => Planned, x => Known(x, m => m.AuditId));
        Event(() => Analyzed, x => Known(x, m => m.AuditId));
        Event(() => Scored, x => Known(x, m => m.AuditId));
        Event(() => Drafted, x => Known(x, m => m.AuditId));
        Event(() => Published, x => Known(x, m => m.AuditId));
        Event(() => Erased, x => Known(x, m => m.AuditId));
        Event(() => OpeningFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => PlanningFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => AskingFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => AnalysisFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => ScoringFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => DraftingFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => PublishingFaulted, x => Known(x, m => m.Message.AuditId));
        Event(() => ClosingFaulted, x => Known(x, m => m.Message.AuditId));
        Schedule(() => Stall, x => x.StallTokenId, s =>
        {
            s.Delay = options.StallTimeout;
            s.Received = x => Known(x, m => m.AuditId);
        });
        Schedule(() => Deadline, x => x.DeadlineTokenId, s => s.Received = x => Known(x, m => m.AuditId));
    }

    /// <summary>A message about an audit that is not known, or no more, is dropped.</summary>
    static void Known<T>(IEventCorrelationConfigurator<AuditState, T> correlation, Func<T, Guid> auditId) where T : class
    {
        correlation.CorrelateById(context => auditId(context.Message));
        correlation.OnMissingInstance(missing => missing.Discard());
    }

    void IgnoreTheRest(State state)
    {
        var decided = NextEvents(state).ToHashSet();
        void Rest<T>(Event<T> message) where T : class
        {
            if (!decided.Contains(message))
                During(state, Ignore(message));
        }

        Rest(Opened);
        Rest(Refused);
        Rest(Alive);
        Rest(Planned);
        Rest(Analyzed);
        Rest(Scored);
        Rest(Drafted);
        Rest(Published);
        Rest(Erased);
        Rest(OpeningFaulted);
        Rest(PlanningFaulted);
        Rest(AskingFaulted);
        Rest(AnalysisFaulted);
        Rest(ScoringFaulted);
        Rest(DraftingFaulted);
        Rest(PublishingFaulted);
        Rest(ClosingFaulted);
        Rest(Stall.Received);
        Rest(Stall.AnyReceived);
        Rest(Deadline.Received);
        Rest(Deadline.AnyReceived);
        Rest(CancelRequested);
    }
}
