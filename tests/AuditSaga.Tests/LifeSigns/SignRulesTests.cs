using Assay.AuditSaga.LifeSigns;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Tests.LifeSigns;

public class When_a_sign_of_life_comes
{
    static readonly Guid Audit = Guid.NewGuid();
    static readonly Guid A = Guid.NewGuid();
    static readonly Guid B = Guid.NewGuid();
    static readonly DateTime Start = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
    static readonly AuditSagaOptions Defaults = new();

    static BatchAlive Sign(Guid batch, int decided = 0, string? waitingFor = null, int attempt = 1) =>
        Given.Alive(Audit, attempt, batch, decided, waitingFor) with { TotalCalls = 45 };

    static SeenLife Seen(params BatchAlive[] signs)
    {
        SeenLife? seen = null;
        foreach (var sign in signs)
            seen = SignRules.After(seen, sign, Start);
        return seen!;
    }

    static bool Matters(SeenLife? seen, BatchAlive sign, double secondsLater) => SignRules.Matters(seen, sign, Start.AddSeconds(secondsLater), Defaults);

    [Fact]
    public void Should_take_the_first_of_an_audit_and_of_every_attempt()
    {
        Matters(null, Sign(A), 0).ShouldBeTrue();
        Matters(Seen(Sign(A, 5)), Sign(A, 0, attempt: 2), 0).ShouldBeTrue();
        Matters(Seen(Sign(A, attempt: 2)), Sign(A, 9, "breaker"), 600).ShouldBeFalse("attempt 1 is over");
    }

    [Theory]
    [InlineData(0.9, false)]
    [InlineData(1, true)]
    public void Should_take_progress_once_a_second(double secondsLater, bool matters) => Matters(Seen(Sign(A, 1)), Sign(A, 2), secondsLater).ShouldBe(matters);

    [Fact]
    public void Should_hear_a_batch_out_of_turn_that_has_moved_on_by_a_tenth()
    {
        var seen = Seen(Sign(B, 3), Sign(A, 4));
        Matters(seen, Sign(B, 7), 0.1).ShouldBeFalse();
        Matters(seen, Sign(B, 8), 0.1).ShouldBeTrue();
    }

    [Fact]
    public void Should_never_take_one_that_tells_nothing()
    {
        Matters(Seen(Sign(A, 5)), Sign(A, 5), 600).ShouldBeFalse("nothing was decided and nothing is waited for: it may hang");
        Matters(Seen(Sign(A, 5)), Sign(A, 4), 600).ShouldBeFalse("it is older");
    }

    [Fact]
    public void Should_take_the_start_and_the_end_of_a_wait()
    {
        Matters(Seen(Sign(A)), Sign(A, waitingFor: "breaker"), 1).ShouldBeTrue();
        Matters(Seen(Sign(A, waitingFor: "breaker")), Sign(A), 1).ShouldBeTrue();
    }

    [Theory]
    [InlineData(9.9, false)]
    [InlineData(10, true)]
    public void Should_renew_a_wait_thirty_times_in_a_stall_timeout(double secondsLater, bool matters) =>
        Matters(Seen(Sign(A, waitingFor: "breaker")), Sign(A, waitingFor: "breaker"), secondsLater).ShouldBe(matters);

    [Fact]
    public void Should_keep_its_turn_short_beside_a_short_stall_timeout()
    {
        var options = new AuditSagaOptions { StallTimeout = TimeSpan.FromSeconds(3) };
        SignRules.Matters(Seen(Sign(A, 1)), Sign(A, 2), Start.AddSeconds(0.1), options).ShouldBeTrue();
    }

    [Fact]
    public void Should_forget_audits_that_are_silent()
    {
        var clock = new ManualClock();
        var signs = new SignsOfLife(Microsoft.Extensions.Options.Options.Create(Defaults), clock);
        for (var i = 0; i < 100; i++)
            signs.Take(Given.Alive(Guid.NewGuid(), waitingFor: "breaker")).ShouldBeTrue();
        signs.Count.ShouldBe(100);
        clock.Advance(6);
        signs.Take(Sign(A)).ShouldBeTrue();
        signs.Count.ShouldBe(1);
    }
}
