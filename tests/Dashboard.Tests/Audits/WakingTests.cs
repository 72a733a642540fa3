using Assay.Contracts;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;

namespace Assay.Dashboard.Tests.Audits;

public sealed class WhoWakesAnAudit
{
    static readonly TimeSpan Stall = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("Admitting", "the gateway")]
    [InlineData("Planning", "the analyzer")]
    [InlineData("Asking", "the gateway and the analyzer")]
    [InlineData("Scoring", "the analyzer")]
    [InlineData("Advising", "the analyzer")]
    [InlineData("Publishing", "this Dashboard")]
    public void Should_be_named_in_every_phase_with_the_latest_end(string phase, string by)
    {
        var waking = Waking.Of(Audit(phase), Stall).ShouldNotBeNull();
        waking.By.ShouldStartWith(by);
        waking.AtTheLatest.ShouldContain("stall timer at 04:06:40 UTC");
        waking.AtTheLatest.ShouldContain("deadline at 04:30:00 UTC");
        waking.AtTheLatest.ShouldContain("watch");
    }

    [Theory]
    [InlineData("its requests per minute", "the gateway by itself, at 04:02:00 UTC or before")]
    [InlineData("spending is halted", "an operator who allows spending again")]
    [InlineData("spending to be resumed", "an operator who allows spending again")]
    [InlineData("engine chatgpt to be resumed", "an operator who resumes the engine")]
    [InlineData("engine chatgpt to recover", "the gateway by itself, at 04:02:00 UTC or before")]
    [InlineData("the saga to confirm this ledger", "the saga, once it answers")]
    [InlineData("an operator paused chatgpt", "an operator who resumes the engine")]
    [InlineData("money: open calls hold what the ceiling has left", "the gateway, when another audit gives money back")]
    public void Should_follow_from_what_it_waits_for(string waitingFor, string by)
    {
        var waking = Waking.Of(Audit(AuditStates.Asking, row =>
        {
            row.WaitingFor = waitingFor;
            row.WaitingUntil = Sample.At(120);
        }), Stall).ShouldNotBeNull();
        (waking.For, waking.By).ShouldBe((waitingFor, by));
    }

    [Fact]
    public void Should_be_the_outbox_before_the_saga_has_seen_it() => Waking.Of(Audit(ReadStates.Requested), Stall).ShouldNotBeNull().By.ShouldContain("outbox");

    [Theory]
    [InlineData("Completed")]
    [InlineData("Failed")]
    [InlineData("Cancelled")]
    [InlineData("Rejected")]
    public void Should_be_nobody_once_it_is_over(string state) => Waking.Of(Audit(state), Stall).ShouldBeNull();

    static AuditStatus Audit(string state, Action<AuditRow>? change = null)
    {
        var row = new AuditRow { AuditId = Guid.NewGuid(), Status = state, Attempt = 1, LastProgressAt = Sample.At(100), DeadlineAt = Sample.At(1800), RegisteredAt = Sample.Start };
        change?.Invoke(row);
        return AuditReader.Describe(row, [], []);
    }
}
