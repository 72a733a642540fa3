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

        _remembered.Take("a", 4, Nobody).Count(call => call.AuditId == _large).ShouldBe(4);
        _remembered.Take("a", 4, Nobody).Select(call => call.Key).ShouldBe([.. Keys("small", 3), "large 9"]);
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

    static IReadOnlyList<string> Keys(string of, int count) => [.. Enumerable.Range(0, count).Select(i => $"{of} {i}")];
}
