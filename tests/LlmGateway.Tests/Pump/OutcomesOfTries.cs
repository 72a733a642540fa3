using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Circumstances = Assay.LlmGateway.Pump.OutcomeDecision.Circumstances;

namespace Assay.LlmGateway.Pump;

public sealed class OutcomesOfTries
{
    static readonly TestEngine Engine = new(maxTries: 3);

    static readonly Circumstances First = new(IsLive: true, IsLate: false, Attempt: 1, Tries: 1, InvalidTries: 0, IsPermitted: false, MayAskAgain: false);

    [Fact]
    public void Should_settle_an_answer_at_its_real_price() =>
        Decide(TestEngine.Answer("x", 5, 10), First).ShouldSatisfyAllConditions(
            decision => decision.Next.ShouldBe(Next.Decided),
            decision => decision.CallState.ShouldBe(CallStates.Answered),
            decision => decision.ChargedMicroUsd.ShouldBe(105));

    [Fact]
    public void Should_settle_a_billed_answer_without_usage_at_the_worst_case() =>
        Decide(TestEngine.Answer("x") with { OutputTokens = null }, First).ChargedMicroUsd.ShouldBe(WorstCase);

    [Fact]
    public void Should_try_later_what_was_not_billed() =>
        Decide(TestEngine.Busy(TimeSpan.FromSeconds(7)), First).ShouldSatisfyAllConditions(
            decision => decision.Next.ShouldBe(Next.Later),
            decision => decision.ChargedMicroUsd.ShouldBe(0),
            decision => decision.Pause.ShouldBe(TimeSpan.FromSeconds(7)));

    [Theory]
    [InlineData(1, 3, false)]
    [InlineData(1, 2, true)]
    [InlineData(2, 5, true)]
    [InlineData(2, 6, false)]
    [InlineData(3, 9, false)]
    public void Should_never_exceed_the_tries_of_all_attempts_together(int attempt, int tries, bool again) =>
        Decide(TestEngine.Busy(), First with { Attempt = attempt, Tries = tries }).Next.ShouldBe(again ? Next.Later : Next.Decided);

    [Fact]
    public void Should_decline_when_tries_are_exhausted() =>
        Decide(TestEngine.Busy(), First with { Tries = 3 }).ShouldSatisfyAllConditions(
            decision => decision.CallState.ShouldBe(CallStates.Declined),
            decision => decision.Reason.ShouldBe(CallReasons.TriesExhausted));

    [Fact]
    public void Should_not_repeat_what_the_provider_rejects() =>
        Decide(TestEngine.Rejected, First).ShouldSatisfyAllConditions(decision => decision.Next.ShouldBe(Next.Decided), decision => decision.CallState.ShouldBe(CallStates.Declined));

    [Fact]
    public void Should_not_repeat_anything_once_the_audit_is_closed()
    {
        Decide(TestEngine.Busy(), First with { IsLive = false }).ShouldSatisfyAllConditions(
            decision => decision.Next.ShouldBe(Next.Decided), decision => decision.Reason.ShouldBe(CallReasons.AuditClosed));
        Decide(TestEngine.Unreadable, First with { IsLive = false }).Next.ShouldBe(Next.Decided);
        Decide(TestEngine.Unknown, First with { IsLive = false, MayAskAgain = true }).Next.ShouldBe(Next.Decided);
    }

    [Fact]
    public void Should_pay_once_more_for_an_unreadable_answer_and_not_twice()
    {
        Decide(TestEngine.Unreadable, First).ShouldSatisfyAllConditions(
            decision => decision.Next.ShouldBe(Next.Replan), decision => decision.CallState.ShouldBe(CallStates.Empty), decision => decision.ChargedMicroUsd.ShouldBe(105));
        Decide(TestEngine.Unreadable, First with { InvalidTries = 1, Tries = 2 }).Next.ShouldBe(Next.Decided);
    }

    [Fact]
    public void Should_count_what_nobody_knows_at_its_worst_case() =>
        Decide(TestEngine.Unknown, First).ShouldSatisfyAllConditions(
            decision => decision.TryState.ShouldBe(TryStates.InDoubt), decision => decision.CallState.ShouldBe(CallStates.InDoubt),
            decision => decision.Next.ShouldBe(Next.Decided), decision => decision.ChargedMicroUsd.ShouldBe(WorstCase));

    [Fact]
    public void Should_ask_a_doubtful_call_again_only_by_permission() =>
        Decide(TestEngine.Unknown, First with { MayAskAgain = true }).ShouldSatisfyAllConditions(
            decision => decision.Next.ShouldBe(Next.Replan), decision => decision.CallState.ShouldBe(CallStates.InDoubt), decision => decision.ChargedMicroUsd.ShouldBe(WorstCase));

    [Fact]
    public void Should_go_on_after_a_call_was_given_back_unsent() =>
        OutcomeDecision.NotSent(First).ShouldSatisfyAllConditions(decision => decision.Next.ShouldBe(Next.Later), decision => decision.ChargedMicroUsd.ShouldBe(0));

    [Fact]
    public void Should_only_correct_what_comes_late()
    {
        Decide(TestEngine.Answer("x"), First with { IsLate = true }).ShouldSatisfyAllConditions(decision => decision.Next.ShouldBe(Next.Decided), decision => decision.CallState.ShouldBe(CallStates.Answered));
        Decide(TestEngine.Busy(), First with { IsLate = true }).Next.ShouldBe(Next.Decided);
        OutcomeDecision.NotSent(First with { IsLate = true }).ShouldSatisfyAllConditions(decision => decision.Next.ShouldBe(Next.Decided), decision => decision.CallState.ShouldBe(CallStates.Declined));
    }

    /// <summary>Such an outcome is settled before its budget is known.</summary>
    [Fact]
    public void Should_decide_a_paid_and_readable_answer_alike_in_all_circumstances()
    {
        bool[] either = [false, true];
        var all = from live in either from late in either from permitted in either from again in either from tries in (int[])[1, 3, 7]
                  select new Circumstances(live, late, Attempt: 2, tries, InvalidTries: tries - 1, permitted, again);
        foreach (var outcome in (Engines.EngineOutcome[])[TestEngine.Answer("x"), TestEngine.Answer("x") with { Text = null }, TestEngine.Answer("x") with { State = CallStates.Refused, Reason = "no" }])
        {
            OutcomeDecision.DependsOnlyOn(outcome).ShouldBeTrue();
            all.Select(circumstances => Decide(outcome, circumstances)).Distinct().ShouldHaveSingleItem();
        }

        OutcomeDecision.DependsOnlyOn(TestEngine.Unreadable).ShouldBeFalse();
        OutcomeDecision.DependsOnlyOn(TestEngine.Unknown).ShouldBeFalse();
        OutcomeDecision.DependsOnlyOn(TestEngine.Busy()).ShouldBeFalse();
    }

    [Fact]
    public void Should_stay_in_doubt_when_the_permitted_try_is_turned_away() =>
        Decide(TestEngine.Rejected, First with { IsPermitted = true }).CallState.ShouldBe(CallStates.InDoubt);

    static long WorstCase => Engine.Definition.Prices.WorstCaseMicroUsd(1, TestEngine.MaxTokens);

    static OutcomeDecision Decide(Engines.EngineOutcome outcome, Circumstances circumstances) =>
        OutcomeDecision.Of(outcome, Engine.Definition, Engine.Render(new Engines.EngineRequest { Text = "q", Purpose = Purposes.Answer }), circumstances, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30));
}
