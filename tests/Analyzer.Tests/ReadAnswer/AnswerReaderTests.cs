using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.Tests.ReadAnswer;

public sealed class When_an_answer_ranks_brands
{
    private static (string, int?)[] Ranks(string text, string brand, params string[] competitors) =>
        [.. Reading.Of(text, brand, competitors).Brands.Where(b => b.Mentioned).OrderBy(b => b.Rank).Select(b => (b.Brand, b.Rank))];

    [Fact]
    public void Should_take_the_number_of_an_ordered_list_also_after_unknown_names() =>
        Ranks("Sony is a household name. Today's best:\n\n1. **Foo X1** – loud\n2. **Barbazz 9** – red\n3. **Anker 737** – small\n4. **Sony WH** – soft", "Anker", "Sony")
            .ShouldBe([("Anker", 3), ("Sony", 4)]);

    [Fact]
    public void Should_follow_numbers_through_paragraphs_between_them() =>
        Ranks("1. **Sony WH**\n\nGood sound.\n\n2. **Bose QC**\n\nSoft.\n\n3. **Anker Q45**\n\nCheap.", "Anker", "Sony", "Bose").ShouldBe([("Sony", 1), ("Bose", 2), ("Anker", 3)]);

    [Fact]
    public void Should_count_headings_that_name_products() =>
        Ranks("# Best earbuds\n\n### 1. **Sony WF**\n- Price: $99\n\n### 2. [Anker P3](https://a.com)\n- Price: $59\n\n### How to choose\nThink.", "Anker", "Sony").ShouldBe([("Sony", 1), ("Anker", 2)]);

    [Fact]
    public void Should_read_medals_as_numbers() =>
        Ranks("# Earbuds\n\n### 🥇 **Beats Fit Pro**\n- Price: $99\n\n### 🥈 **JLab Go**\n\n### 🥉 **Anker P3**\n\n### Bonus tip\n\n### Would you like more?", "Anker").ShouldBe([("Anker", 3)]);

    [Fact]
    public void Should_count_bullets_without_numbers() =>
        Ranks("Top picks:\n\n- **JBL Live**: loud\n- **Sony WH**: soft\n- **Anker Q30**: cheap", "Anker", "Sony").ShouldBe([("Sony", 2), ("Anker", 3)]);

    [Fact]
    public void Should_count_rows_of_a_table() =>
        Ranks("| Brand | Price |\n|---|---|\n| Sony WH | $300 |\n| Bose QC | $280 |\n| Anker Q45 | $99 |", "Anker", "Sony", "Bose").ShouldBe([("Sony", 1), ("Bose", 2), ("Anker", 3)]);

    [Fact]
    public void Should_go_on_counting_in_a_second_list() =>
        Ranks("## Everyday\n1. HP Envy 13\n2. Acer Swift 3\n\n## Gaming\n1. Lenovo Legion 5", "HP", "Acer", "Lenovo").ShouldBe([("HP", 1), ("Acer", 2), ("Lenovo", 3)]);

    [Fact]
    public void Should_not_take_a_list_of_properties_for_a_list_of_products() =>
        Ranks("Anker and Sony are fine.\n\n- Battery life: long\n- Works with: Sony cameras\n- Weight: low\n- Colour: red", "Anker", "Sony").ShouldBe([("Anker", 1), ("Sony", 2)]);

    [Fact]
    public void Should_see_the_list_in_text_that_lost_its_line_breaks()
    {
        var reading = Reading.Of("Check that it works with Google Assistant. Top Picks: Sony WF-1000: Rich sound and light.Anker P3: Good value.Other Options: JBL Go 2: Loud enough.Apple and Google phones work.", "Anker", ["Google", "Sony", "JBL"]);

        reading.Brands.Where(b => b.Mentioned).Select(b => (b.Brand, b.Rank, b.IsListed, b.Recommendation)).ShouldBe([("Anker", 3, true, .75), ("Google", 1, false, .25), ("Sony", 2, true, .75), ("JBL", 4, true, .5)]);
    }

    [Fact]
    public void Should_fall_back_to_the_order_of_first_mention() =>
        Ranks("I like Bose and Sony, then Anker. Sony again.", "Anker", "Sony", "Bose").ShouldBe([("Bose", 1), ("Sony", 2), ("Anker", 3)]);
}

public sealed class When_an_answer_gives_advice
{
    [Theory]
    [InlineData("You might see Anker in shops.", .25)]
    [InlineData("Some options:\n\n- Anker 737\n- Sony X\n- Foo 9", .5)]
    [InlineData("I recommend Anker for travel.", .75)]
    [InlineData("Anker is a great choice.", .75)]
    [InlineData("## Best power banks\n\n1. Anker 737\n2. Sony X", .75)]
    [InlineData("The best overall is the Anker 737.", 1)]
    [InlineData("My top pick: Anker.", 1)]
    [InlineData("I would avoid Anker.", .25)]
    [InlineData("Anker is not recommended for this.", .25)]
    [InlineData("Sony is the best overall, while Anker is common.", .25)]
    [InlineData("The weather is fine.", 0)]
    public void Should_grade_its_strength(string text, double expected) => Reading.Of(text, "Anker", ["Sony"]).Own.Recommendation.ShouldBe(expected);

    [Theory]
    [InlineData("Anker is reliable and affordable.", 1)]
    [InlineData("Anker is unreliable and overpriced.", -1)]
    [InlineData("Anker is a company.", 0)]
    [InlineData("Anker is not reliable.", -1)]
    [InlineData("Anker has no problems.", 1)]
    [InlineData("Sony is excellent, but Anker is flimsy.", -1)]
    [InlineData("Sony is terrible, whereas Anker is excellent.", 1)]
    [InlineData("Sony and Anker are both excellent.", 1)]
    [InlineData("Sony is better than Anker.", -1)]
    [InlineData("Anker is cheaper than Sony.", 1)]
    [InlineData("### 1. Anker 737\n\nIt is superb in every way.", 1)]
    [InlineData("Everything here is excellent and superb.", 0)]
    public void Should_judge_the_clause_and_not_the_answer(string text, int expected) => Reading.Of(text, "Anker", ["Sony"]).Own.Sentiment.ShouldBe(expected);
}

public sealed class When_an_answer_cites_sources
{
    private const string Text = "Anker is good.([The Verge][1]) See [the shop](https://www.anker.com/p?utm_source=chatgpt.com) and https://sony.com/x.\n\nBuy [here](https://chatgpt.com/?hints=search&q=anker).\n\n[1]: https://www.theverge.com/best?utm_source=chatgpt.com \"Best chargers\"";

    private static readonly AnswerReading Read = Reading.Of(Text, "Anker", ["Sony"], domain: "https://anker.com", sources: [new("https://theverge.com/best", "Best"), new("https://reddit.com/r/x", "Reddit"), new("not a url")]);

    [Fact]
    public void Should_tell_owned_competitor_and_third_party_apart() =>
        Read.Citations.Select(c => (c.Domain, c.Category, c.Cited)).ShouldBe(
        [
            ("theverge.com", CitationCategory.ThirdParty, true),
            ("anker.com", CitationCategory.Owned, true),
            ("sony.com", CitationCategory.Competitor, true),
            ("reddit.com", CitationCategory.ThirdParty, false),
        ]);

    [Fact]
    public void Should_keep_addresses_as_they_were_and_say_where_they_stand()
    {
        Read.Citations[1].Url.ShouldBe("https://www.anker.com/p?utm_source=chatgpt.com");
        Text[Read.Citations[1].Start!.Value..].ShouldStartWith("[the shop]");
        Read.Citations[0].Title.ShouldBe("Best");
    }

    [Fact]
    public void Should_measure_how_much_of_the_answer_each_source_backs()
    {
        Read.Own.Cited.ShouldBeTrue();
        Read.Citations[3].WordShare.ShouldBe(0);
        Read.Citations.Sum(c => c.WordShare).ShouldBeInRange(.5, 1);
        Read.Citations[0].PositionShare.ShouldBeGreaterThan(Read.Citations[0].WordShare);
    }
}

public sealed class When_an_answer_does_not_count
{
    [Theory]
    [InlineData("", "Empty")]
    [InlineData(" \n\t — … ", "Empty")]
    [InlineData("I'm sorry, but I can't help with that.", "Refused")]
    [InlineData("I’m sorry, I cannot provide recommendations on this topic.", "Refused")]
    [InlineData("I can't browse the internet, but here are some good brands: Anker, Sony.", "Valid")]
    [InlineData("Anker is a good brand for people who travel and want to charge their phones on the way.", "Valid")]
    [InlineData("Anker ist eine gute Marke für Menschen, die viel reisen und ihr Telefon auf dem Weg laden wollen, und sie ist nicht teuer.", "WrongLanguage")]
    [InlineData("アンカーは旅行に最適な充電器のブランドです。とても人気があります。", "WrongLanguage")]
    [InlineData("Anker, Sony, Bose", "Valid")]
    public void Should_say_why(string text, string expected) => Reading.Of(text, "Anker", locale: "en-US").Validity.ToString().ShouldBe(expected);

    [Theory]
    [InlineData("Das ist eine gute Marke für die Reise und sie ist nicht teuer.", "de")]
    [InlineData("C'est une bonne marque pour les voyages et elle n'est pas chère du tout.", "fr")]
    [InlineData("Es una buena marca para los viajes y no es muy cara para lo que ofrece.", "es")]
    [InlineData("È una buona marca per i viaggi e non è molto cara per quello che offre.", "it")]
    [InlineData("É uma boa marca para as viagens e não é muito cara para o que oferece.", "pt")]
    [InlineData("Het is een goed merk voor op reis en het is niet duur voor wat je krijgt.", "nl")]
    [InlineData("Это хорошая марка для путешествий, и она недорогая.", "ru")]
    [InlineData("这是一个非常适合旅行的好品牌，而且价格也不贵。", "zh")]
    [InlineData("여행에 좋은 브랜드이고 가격도 비싸지 않습니다.", "ko")]
    public void Should_tell_the_language(string text, string expected) => Reading.Of(text, "Anker").Language.ShouldBe(expected);
}

public sealed class When_an_answer_describes_the_brand
{
    private static readonly AnswerReading Read = Reading.Of(
        "Here is a short answer to what power bank is best for travel and why it is so good.\n\n1. **Anker 737** – $99 at Amazon, rated 4.7 stars. It offers fast-charging and 24 hours of use; ideal for travel, but heavy. ([Verge][1])\n2. **Belkin Boost** – fine\n3. **Sony CP** – old\n\n[1]: https://theverge.com/a",
        "Anker", ["Sony"], query: "what power bank is best for travel", features: ["fast charging", "wireless"]);

    [Fact]
    public void Should_find_its_features_and_other_brands()
    {
        Read.Features.ShouldBe(["fast charging"]);
        Read.OtherBrands.ShouldBe(["Belkin"]);
    }

    [Fact]
    public void Should_note_which_facts_are_given_and_sourced()
    {
        var fields = Read.ContextFields.ToDictionary(f => f.Field, f => (f.Present, f.Sourced), StringComparer.Ordinal);
        fields["features"].Present.ShouldBeTrue();
        fields["weaknesses"].ShouldBe((true, true));
        fields["comparison"].Present.ShouldBeFalse();
        Read.ContextQuality!.Value.ShouldBeInRange(.5, 1);
    }

    [Fact]
    public void Should_rate_its_form()
    {
        Read.SnippetPotential.ShouldBeGreaterThan(.6);
        Read.VoiceFitness.ShouldBeGreaterThan(.5);
        Reading.Of("| a | b |\n|-|-|\n| c | d |", "Anker").VoiceFitness.ShouldBeLessThan(Read.VoiceFitness);
    }
}

public sealed class When_a_query_is_classified
{
    private static readonly BrandLexicon Lexicon = BrandLexicon.Build(new BrandEntry { Name = "Anker" }, [new BrandEntry { Name = "Ring" }, new BrandEntry { Name = "Sony" }]);

    [Theory]
    [InlineData("is anker any good", true)]
    [InlineData("best sony alternatives", true)]
    [InlineData("is ring worth it", true)]
    [InlineData("ring vs arlo", true)]
    [InlineData("best ring light for video calls", false)]
    [InlineData("best earbuds for working out", false)]
    public void Should_know_whether_it_names_a_tracked_brand(string query, bool branded) => BrandedQuery.IsBranded(query, Lexicon).ShouldBe(branded);
}

public sealed class When_a_lexicon_is_built
{
    [Theory]
    [InlineData("Anker", "Distinctive")]
    [InlineData("HP", "Short")]
    [InlineData("Ring", "OrdinaryWord")]
    [InlineData("Best Buy", "OrdinaryPhrase")]
    [InlineData("Monday", "AlwaysCapitalWord")]
    [InlineData("686", "OrdinaryWord")]
    public void Should_show_how_strictly_each_name_is_matched(string name, string expected) =>
        BrandLexicon.Build(new BrandEntry { Name = name }, []).Aliases[0].Strictness.ToString().ShouldBe(expected);

    [Fact]
    public void Should_name_the_aliases_two_brands_claim()
    {
        var lexicon = BrandLexicon.Build(new BrandEntry { Name = "Anker", Aliases = ["Soundcore"] }, [new BrandEntry { Name = "Sony", Aliases = ["Soundcore"] }]);

        lexicon.Conflicts.ShouldBe(["Soundcore"]);
        AnswerReader.Read(new AnswerToRead { Text = "Soundcore is fine.", Query = "x" }, lexicon).Own.Mentioned.ShouldBeTrue();
    }
}
