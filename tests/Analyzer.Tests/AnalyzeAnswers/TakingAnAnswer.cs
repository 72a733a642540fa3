using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.PlanQueries;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.Tests.AnalyzeAnswers;

public sealed class TakingAnAnswer
{
    const string English = "For working out I would recommend the Soundcore Sport X20 because it stays in place. Sony and JBL are also good choices for most people.";

    [Fact]
    public void Should_be_valid_with_its_mentions_at_their_offsets()
    {
        var taken = Take(Answers.Answered("k1", "q001", English));

        taken.Outcome.ShouldBe("valid");
        taken.Text.ShouldBe(English);
        taken.Reading.ShouldNotBeNull().Mentions.ShouldContain(m => m.Brand == "Anker" && English.Substring(m.Start, m.End - m.Start) == "Soundcore");
    }

    [Fact]
    public void Should_stay_valid_and_flagged_when_it_was_cut() =>
        Take(Answers.Answered("k1", "q001", English) with { Reason = CallReasons.CutByLength }).ShouldSatisfyAllConditions(
            taken => taken.Outcome.ShouldBe("valid"),
            taken => taken.Reason.ShouldBe("CutByLength"));

    [Fact]
    public void Should_be_empty_in_the_wrong_language()
    {
        var taken = Take(Answers.Answered("k1", "q001", "Für das Training empfehle ich die Kopfhörer von Anker, weil sie gut sitzen und der Akku sehr lange hält. Auch die Modelle von Sony sind nicht schlecht."));

        taken.Outcome.ShouldBe("empty");
        taken.Reason.ShouldBe("WrongLanguage");
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n\t ")]
    public void Should_be_empty_without_words(string text) =>
        Take(Answers.Answered("k1", "q001", text)).Outcome.ShouldBe("empty");

    [Theory]
    [InlineData(CallStates.Declined, "declined")]
    [InlineData(CallStates.Refused, "refused")]
    [InlineData(CallStates.Empty, "empty")]
    [InlineData(CallStates.InDoubt, "inDoubt")]
    [InlineData("SomethingNew", "declined")]
    public void Should_itemise_what_is_no_answer_with_a_reason(string state, string outcome)
    {
        var taken = Take(Answers.Answered("k1", "q001", English) with { State = state, Text = null });

        taken.Outcome.ShouldBe(outcome);
        taken.Reason.ShouldNotBeNull();
        taken.Reading.ShouldBeNull();
    }

    [Fact]
    public void Should_take_the_own_text_of_a_reused_answer_by_its_hash()
    {
        var hash = Hashes.Sha256(English);
        var taken = Take(Answers.Answered("k1", "q001", English) with { Text = null, TextHash = hash, Reused = true }, English, hash);

        taken.Outcome.ShouldBe("valid");
        taken.Text.ShouldBe(English);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(English, "another hash")]
    public void Should_count_a_reused_answer_as_declined_when_its_text_is_lost(string? own, string? hash)
    {
        var taken = Take(Answers.Answered("k1", "q001", English) with { Text = null, Reused = true }, own, hash);

        taken.Outcome.ShouldBe("declined");
        taken.Reason.ShouldBe("TextLost");
    }

    [Fact]
    public void Should_store_characters_no_database_holds_without_moving_an_offset()
    {
        var text = "A\0B \ud800 " + English;
        var taken = Take(Answers.Answered("k1", "q001", text));

        taken.Text.ShouldNotBeNull().Length.ShouldBe(text.Length);
        taken.Text.ShouldNotContain('\0');
        taken.Reading.ShouldNotBeNull().Mentions.ShouldContain(m => text.Substring(m.Start, m.End - m.Start) == "Soundcore");
    }

    [Fact]
    public void Should_read_the_same_from_its_column()
    {
        var reading = Take(Answers.Answered("k1", "q001", English + " See https://www.anker.com/earbuds for more.")).Reading.ShouldNotBeNull();

        var read = ReadingColumn.Read(ReadingColumn.Write(reading), Guid.Empty, "k1");

        ReadingColumn.Write(read).ShouldBe(ReadingColumn.Write(reading));
        read.Own.ShouldBe(reading.Own);
        read.Validity.ShouldBe(reading.Validity);
    }

    static TakenAnswer Take(EngineAnswer answer, string? ownText = null, string? ownHash = null) =>
        AnswerIntake.Take(answer, "best earbuds for working out", "en-US", TrackedBrands.Of(Requests.Anker()).Lexicon, ownText, ownHash);
}

public sealed class StoringHostileText
{
    [Fact]
    public void Should_replace_what_no_database_holds_one_for_one()
    {
        // Not as theory data: a test's arguments cannot carry half a surrogate pair.
        (string Text, string Stored)[] cases =
        [
            ("plain", "plain"), ("", ""), ("a\0b", "a\uFFFDb"), ("\ud83d\ude00", "\ud83d\ude00"),
            ("\ud83dx", "\uFFFDx"), ("x\ude00", "x\uFFFD"), ("\ud83d", "\uFFFD"), ("\ude00\ud83d", "\uFFFD\uFFFD"),
        ];

        foreach (var (text, stored) in cases)
            StorableText.Of(text).ShouldBe(stored);
    }
}
