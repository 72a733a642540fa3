using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Pump;

public sealed class RememberingCalls
{
    static readonly HashSet<Guid> Nobody = [];

    readonly RememberedCalls _remembered = new();
    readonly Guid _large = Guid.NewGuid();
    readonly Guid _small = Guid.NewGuid();

    [Fact]
    public void Should_serve_audits_in_turn_so_that_a_large_one_keeps_no_small_one_waiting()
    {
        _remembered.Add("a", _large, Keys("large", 10_000)).ShouldBeTrue();
        _remembered.Add("b", _small, Keys("other", 1)).ShouldBeTrue();
        _remembered.Take("a", 5, Nobody).Select(call => call.Key).ShouldBe(Keys("large", 5));
        _remembered.Add("a", _small, Keys("small", 3)).ShouldBeTrue();

        _remembered.Take("a", 8, Nobody).Select(call => call.Key).ShouldBe(["large 5", "small 0", "large 6", "small 1", "large 7", "small 2", "large 8", "large 9"]);
    }

    [Fact]
    public void Should_serve_a_few_audits_at_a_time_so_that_the_first_of_a_crowd_are_done_before_the_last_begin()
    {
        var audits = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToList();
        foreach (var (i, audit) in audits.Index())
            _remembered.Add("a", audit, Keys($"audit {i}, call", 10));

        _remembered.Take("a", 24, Nobody).CountBy(call => call.AuditId).ShouldBe([.. audits.Take(8).Select(audit => KeyValuePair.Create(audit, 3))], ignoreOrder: true);
        _remembered.Take("a", 56, Nobody).Select(call => call.AuditId).ShouldAllBe(audit => audits.Take(8).Contains(audit));
        _remembered.Take("a", 8, Nobody).Select(call => call.AuditId).ShouldBe(audits.Skip(8).Take(8));
    }

    [Fact]
    public void Should_let_none_wait_for_long_behind_many_large_ones()
    {
        foreach (var i in Enumerable.Range(0, 8))
            _remembered.Add("a", Guid.NewGuid(), Keys($"large {i}, call", 1_000));
        _remembered.Add("a", _small, Keys("small", 3));

        var taken = _remembered.Take("a", 550, Nobody);

        taken.Count(call => call.AuditId == _small).ShouldBe(3);
    }

    [Fact]
    public void Should_remember_a_call_once_however_often_it_is_found()
    {
        _remembered.Add("a", _small, Keys("small", 3));
        _remembered.Add("a", _small, Keys("small", 4));

        _remembered.Take("a", 10, Nobody).Select(call => call.Key).ShouldBe(Keys("small", 4));
        _remembered.HasAny("a").ShouldBeFalse();
        _remembered.Add("a", _small, Keys("small", 1));
        _remembered.Take("a", 10, Nobody).Count.ShouldBe(1, "one that was taken may come back");
    }

    [Fact]
    public void Should_forget_the_calls_of_an_audit_that_is_passed_over()
    {
        _remembered.Add("a", _large, Keys("large", 100));
        _remembered.Add("a", _small, Keys("small", 2));

        _remembered.Take("a", 10, new HashSet<Guid> { _large }).Select(call => call.Key).ShouldBe(Keys("small", 2));
        _remembered.HasAny("a").ShouldBeFalse();
        _remembered.Add("a", _large, Keys("large", 1));
        _remembered.Take("a", 10, Nobody).Count.ShouldBe(1, "the next look finds them again");
    }

    [Fact]
    public void Should_say_when_there_are_too_many_and_remember_none_of_them()
    {
        _remembered.Add("a", _large, Keys("large", 9_999)).ShouldBeTrue();

        _remembered.Add("a", _small, Keys("small", 2)).ShouldBeFalse();

        _remembered.Take("a", 20_000, Nobody).Count.ShouldBe(9_999);
    }

    [Fact]
    public void Should_serve_owned_calls_in_turn_with_the_others()
    {
        _remembered.Add("test", _large, Keys("large", 3));
        _remembered.Add(Owned(_small, 2));

        var taken = _remembered.Take("test", 10, new HashSet<Guid> { _small });

        taken.Select(call => call.Key).ShouldBe(["large 0", "owned 0", "large 1", "owned 1", "large 2"], "one that is owned waits for no money");
        taken.Count(call => call.Owned is not null).ShouldBe(2);
    }

    [Fact]
    public void Should_know_what_became_of_a_call_last()
    {
        _remembered.Add(Owned(_small, 2));
        _remembered.Add("test", _small, ["owned 1"]);

        _remembered.Take("test", 10, Nobody).Select(call => (call.Key, call.Owned is not null)).ShouldBe([("owned 0", true), ("owned 1", false)]);
    }

    [Fact]
    public void Should_own_no_more_than_it_has_room_for()
    {
        _remembered.HasRoom("test", 2_000).ShouldBeTrue();
        _remembered.Add(Owned(_large, 1_990));

        _remembered.HasRoom("test", 10).ShouldBeTrue();
        _remembered.HasRoom("test", 11).ShouldBeFalse();
        _remembered.Take("test", 5, Nobody);
        _remembered.HasRoom("test", 15).ShouldBeTrue();
    }

    [Fact]
    public void Should_forget_the_owned_calls_of_an_attempt_that_is_over()
    {
        _remembered.Add(Owned(_large, 3));
        _remembered.Add(Owned(_small, 1, "small"));

        _remembered.Forget(Owned(_large, 1)[0]);

        _remembered.Take("test", 10, Nobody).Select(call => call.Key).ShouldBe(["small 0"]);
        _remembered.HasRoom("test", 2_000).ShouldBeTrue();
    }

    [Fact]
    public void Should_hand_on_a_batch_once_its_commit_is_known_or_given_up()
    {
        var taking = _remembered.Expect(Owned(_small, 1));
        _remembered.HasAny("test").ShouldBeFalse();
        _remembered.TakeUnconfirmed().ShouldBeEmpty("its commit may still come");
        _remembered.Confirm(taking).ShouldBeTrue();
        _remembered.Confirm(taking).ShouldBeFalse("a batch is handed on once");
        _remembered.Take("test", 10, Nobody).ShouldHaveSingleItem();

        var impatient = new RememberedCalls(TimeSpan.Zero);
        var lost = impatient.Expect(Owned(_small, 1));
        impatient.TakeUnconfirmed().ShouldHaveSingleItem();
        impatient.Confirm(lost).ShouldBeFalse("what was given up belongs to whoever claims it");
        impatient.HasAny("test").ShouldBeFalse();
    }

    [Fact]
    public void Should_give_up_all_that_is_owned()
    {
        _remembered.Add("test", _large, Keys("large", 1));
        _remembered.Add(Owned(_small, 3));

        _remembered.TakeOwned().Select(call => call.CallKey).ShouldBe(Keys("owned", 3));

        _remembered.Take("test", 10, Nobody).Select(call => call.Key).ShouldBe(Keys("large", 1));
    }

    static IReadOnlyList<ClaimedCall> Owned(Guid auditId, int count, string of = "owned") =>
    [
        .. Keys(of, count).Select(key => new ClaimedCall
        {
            CallKey = key, AuditId = auditId, Attempt = 1, Owner = Guid.Empty, Engine = new TestEngine().Definition, ReservedMicroUsd = 1, TokenBound = 1, DeadlineAt = DateTime.MaxValue,
            Request = new RenderedRequest { Hash = "", InputBytes = 0, MaxOutputTokens = 0, Request = new EngineRequest { Text = "", Purpose = "" } },
            TraceParent = null, Tries = 0, InvalidTries = 0, IsPermitted = false, PermissionUsed = false,
        }),
    ];

    static IReadOnlyList<string> Keys(string of, int count) => [.. Enumerable.Range(0, count).Select(i => $"{of} {i}")];
}
