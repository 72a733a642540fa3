namespace Assay.LlmGateway.Ledger;

public sealed class CallKeys
{
    static readonly Guid Audit = Guid.Parse("0198b0b6-1111-7000-8000-000000000001");

    [Fact]
    public void Should_be_the_same_for_the_same_call() =>
        CallKey.Of(Audit, "answer", "chatgpt", "m", "h", 1).ShouldBe(CallKey.Of(Audit, "answer", "chatgpt", "m", "h", 1));

    [Fact]
    public void Should_tell_calls_apart_by_every_part()
    {
        string[] keys =
        [
            CallKey.Of(Audit, "answer", "chatgpt", "m", "h", 1),
            CallKey.Of(Guid.Empty, "answer", "chatgpt", "m", "h", 1),
            CallKey.Of(Audit, "plan", "chatgpt", "m", "h", 1),
            CallKey.Of(Audit, "answer", "claude", "m", "h", 1),
            CallKey.Of(Audit, "answer", "chatgpt", "n", "h", 1),
            CallKey.Of(Audit, "answer", "chatgpt", "m", "i", 1),
            CallKey.Of(Audit, "answer", "chatgpt", "m", "h", 2),
        ];

        keys.Distinct().Count().ShouldBe(keys.Length);
    }

    [Fact]
    public void Should_not_confuse_parts_that_read_alike_when_joined() =>
        CallKey.Of(Audit, "answer", "ab", "c", "h", 1).ShouldNotBe(CallKey.Of(Audit, "answer", "a", "bc", "h", 1));

    [Fact]
    public void Should_carry_a_suffix_only_on_the_repetition_of_an_unreadable_answer()
    {
        CallKey.OnTheWire("k", 0).ShouldBe("k");
        CallKey.OnTheWire("k", 1).ShouldBe("k.2");
    }
}
