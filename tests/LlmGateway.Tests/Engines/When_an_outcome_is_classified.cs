using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Tests.Engines;

public class When_an_outcome_is_classified
{
    static readonly ProviderAnswer Answer = new() { Text = "Anker" };

    public static TheoryData<string, WireFacts, OutcomeVerdict> Table => new()
    {
        { "refused connection", Facts(null, left: false), NotBilled(CallReasons.ConnectionLost) },
        { "given back by the write limit", Facts(null, left: false) with { TimedOut = true }, NotBilled(CallReasons.ConnectionLost) },
        { "timeout", Facts(null) with { TimedOut = true }, InDoubt(CallReasons.Timeout) },
        { "reset", Facts(null), InDoubt(CallReasons.ConnectionLost) },
        { "body cut", Facts(200, body: BodyState.Cut), InDoubt(CallReasons.ConnectionLost) },
        { "timeout in the body", Facts(200, body: BodyState.Cut) with { TimedOut = true }, InDoubt(CallReasons.Timeout) },
        { "no body read", Facts(200, body: BodyState.None), InDoubt(CallReasons.ConnectionLost) },
        { "bad JSON", Facts(200), Unreadable },
        { "no content", Facts(204), Unreadable },
        { "endless body", Facts(200, body: BodyState.TooLarge), Unreadable },
        { "answer", Facts(200, Answer), Billed(CallStates.Answered, null) },
        { "cut by length", Facts(200, Answer with { CutByLength = true }), Billed(CallStates.Answered, CallReasons.CutByLength) },
        { "empty", Facts(200, Answer with { Text = " \n" }), Billed(CallStates.Empty, CallReasons.EmptyAnswer) },
        { "nothing before the limit", Facts(200, Answer with { Text = "", CutByLength = true }), Billed(CallStates.Empty, CallReasons.EmptyAnswer) },
        { "refusal", Facts(200, Answer with { Refused = true, RefusalWord = "SAFETY" }), Billed(CallStates.Refused, "SAFETY") },
        { "refusal without a word", Facts(200, Answer with { Refused = true }), Billed(CallStates.Refused, "refusal") },
        { "429", Facts(429), NotBilled(CallReasons.ProviderRejected) },
        { "429 without money", Facts(429) with { ErrorWord = "insufficient_quota" }, NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "408", Facts(408), NotBilled(CallReasons.ProviderRejected) },
        { "409", Facts(409), NotBilled(CallReasons.ProviderRejected) },
        { "400", Facts(400), NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "401", Facts(401), NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "404", Facts(404), NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "422", Facts(422), NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "redirect", Facts(307), NotBilled(CallReasons.ProviderRejected, retryable: false) },
        { "503", Facts(503), NotBilled(CallReasons.ServerError) },
        { "529", Facts(529), NotBilled(CallReasons.ServerError) },
        { "500", Facts(500), InDoubt(CallReasons.ServerError) },
        { "502", Facts(502), InDoubt(CallReasons.ServerError) },
        { "504", Facts(504), InDoubt(CallReasons.ServerError) },
        { "500 with its body cut", Facts(500, body: BodyState.Cut), InDoubt(CallReasons.ServerError) },
        { "429 with its body cut", Facts(429, body: BodyState.Cut), NotBilled(CallReasons.ProviderRejected) },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Should_follow_the_table(string situation, WireFacts facts, OutcomeVerdict expected) =>
        OutcomeRules.Classify(facts).ShouldBe(expected, situation);

    [Fact]
    public void Should_not_bill_a_status_that_the_settings_name()
    {
        OutcomeRules.Classify(Facts(500), new HashSet<int> { 500 }).ShouldBe(NotBilled(CallReasons.ServerError));
        OutcomeRules.Classify(Facts(502), new HashSet<int> { 500 }).ShouldBe(InDoubt(CallReasons.ServerError));
    }

    [Fact]
    public void Should_never_call_unbilled_what_may_have_been_billed()
    {
        foreach (var status in (int?[])[null, .. Enumerable.Range(100, 500).Select(status => (int?)status)])
        {
            foreach (var body in Enum.GetValues<BodyState>())
            {
                var verdict = OutcomeRules.Classify(new WireFacts { BytesLeft = true, Status = status, Body = body });
                if (verdict.Class == OutcomeClass.NotBilled)
                    status.ShouldBeOneOf([.. Enumerable.Range(100, 100).Concat(Enumerable.Range(300, 200)).Concat([503, 529]).Select(free => (int?)free)]);
                verdict.Retryable.ShouldBe(verdict.Class == OutcomeClass.NotBilled && verdict.Retryable);
                verdict.Invalid.ShouldBe(verdict.Class == OutcomeClass.Billed);
            }
        }
    }

    static readonly OutcomeVerdict Unreadable = new(OutcomeClass.Billed, CallStates.Empty, CallReasons.UnreadableAnswer, Retryable: false, Invalid: true);

    static WireFacts Facts(int? status, ProviderAnswer? answer = null, bool left = true, BodyState body = BodyState.Whole) =>
        new() { BytesLeft = left, Status = status, Body = status is null ? BodyState.None : body, Answer = answer };

    static OutcomeVerdict NotBilled(string reason, bool retryable = true) => new(OutcomeClass.NotBilled, CallStates.Declined, reason, retryable, Invalid: false);

    static OutcomeVerdict InDoubt(string reason) => new(OutcomeClass.Unknown, CallStates.InDoubt, reason, Retryable: false, Invalid: false);

    static OutcomeVerdict Billed(string state, string? reason) => new(OutcomeClass.Billed, state, reason, Retryable: false, Invalid: false);
}
