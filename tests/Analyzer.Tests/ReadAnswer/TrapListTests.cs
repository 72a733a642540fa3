using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.Tests.ReadAnswer;

/// <summary>The trap list: texts on which a substring test, or a careless word test, finds the wrong brands.</summary>
public sealed class When_a_text_holds_a_trap
{
    [Theory]
    // Names inside other words.
    [InlineData("GE", "Park it in the garage, on a large stage.", "")]
    [InlineData("GE", "The GE Profile and the Ge are not the same; GE's warranty is long.", "GE|GE")]
    [InlineData("GE", "A GE-branded oven and an AGE-old question.", "GE")]
    [InlineData("Ring", "They offer catering, and a string of good things during spring.", "")]
    [InlineData("Ring", "Ring the bell twice. The ring is made of gold. RING TONES are fun.", "")]
    [InlineData("Ring", "The Ring Video Doorbell is popular, and I like Ring cameras.", "Ring|Ring")]
    [InlineData("Ring", "1. **Ring Video Doorbell 4** – sharp video\n2. **Arlo Essential** – wide view", "Ring")]
    [InlineData("Chase", "Purchases earn points. Chase purchases that pay.", "")]
    [InlineData("Chase", "The Chase Sapphire Preferred earns 2x, and Chase offers a bonus.", "Chase|Chase")]
    [InlineData("Chase", "Do not chase rewards; the thrill of the chase is costly.", "")]
    [InlineData("LI", "A tile, a list, lithium, Li-ion, li and LITE: reality is like this in daily life.", "")]
    [InlineData("LI", "The LI 200 is new. LI's phones sell.", "LI|LI")]
    [InlineData("Box", "Open the toolbox. Box up your things. The box is large, an Xbox and a boxer.", "")]
    [InlineData("Box", "We moved from Dropbox to Box for storage, and Box Drive syncs.", "Box|Box")]
    [InlineData("monday", "On Monday we meet. Monday is hard. See you monday.", "")]
    [InlineData("monday", "Monday.com is a board, and monday.com's price is fair.", "Monday.com|monday.com")]
    [InlineData("Monday", "I use it on Monday and Trello all week; every May, too.", "")]
    [InlineData("On", "On Amazon you find many. On the other hand, shoes from On are light.", "On")]
    [InlineData("Next", "Next Year will be fun. I buy jeans at Next.", "Next")]
    [InlineData("monday.com", "Teams like Asana and monday.com a lot. Every Monday they plan.", "monday.com")]
    [InlineData("Zoom", "Zoom in with the optical zoom. Zoom range: 10x. **Zoom:** 5x", "")]
    [InlineData("Zoom", "We call on Zoom every day; Zoom Meetings is stable.", "Zoom|Zoom")]
    [InlineData("HP", "A 6 HP motor, a 2.2 peak HP base and 300hp; the shp file and PHP code.", "")]
    [InlineData("HP", "The HP Envy and HP's Spectre beat others. (HP) – HP, HP.", "HP|HP|HP|HP|HP")]
    [InlineData("Apple", "An apple a day; apples, pineapple and Applebee's.", "")]
    [InlineData("Apple", "The Apple Watch is fine; buy it from Apple.", "Apple|Apple")]
    [InlineData("Java", "JavaScript is no coffee; Java is.", "Java")]
    [InlineData("Best Buy", "This is the best buy of the year. Get it at Best Buy.", "Best Buy")]
    // Spellings.
    [InlineData("De'Longhi", "De'Longhi, De’Longhi, DeLonghi, Delonghi, De Longhi, De-Longhi, DELONGHI and de'longhi.", "De'Longhi|De’Longhi|DeLonghi|Delonghi|De Longhi|De-Longhi|DELONGHI|de'longhi")]
    [InlineData("DeLonghi", "De'Longhi, De’Longhi, DeLonghi, Delonghi, De Longhi and De-Longhi.", "De'Longhi|De’Longhi|DeLonghi|Delonghi|De Longhi|De-Longhi")]
    [InlineData("Delonghi", "De'Longhi, De’Longhi, DeLonghi and Delonghi; von der Longhi, de long hi.", "De'Longhi|De’Longhi|DeLonghi|Delonghi")]
    [InlineData("T-Mobile", "T-Mobile, T‑Mobile, TMobile and T Mobile; a T-shirt on mobile.", "T-Mobile|T‑Mobile|TMobile|T Mobile")]
    [InlineData("All-Clad", "All-Clad, All Clad and AllClad; all clad in black.", "All-Clad|All Clad|AllClad")]
    [InlineData("Bang & Olufsen", "Bang & Olufsen, Bang and Olufsen and Bang &amp; Olufsen.", "Bang & Olufsen|Bang and Olufsen|Bang &amp; Olufsen")]
    [InlineData("Nescafé", "Nescafé, NESCAFÉ, Nescafe\u0301 and Nescafe.", "Nescafé|NESCAFÉ|Nescafe\u0301|Nescafe")]
    [InlineData("Loreal", "L’Oréal Paris, L'Oreal and Loréal.", "L’Oréal|L'Oreal|Loréal")]
    [InlineData("Anker", "ＡＮＫＥＲ and An\u00ADker and Ank\u200Ber are Anker™ too.", "ＡＮＫＥＲ|An\u00ADker|Ank\u200Ber|Anker")]
    [InlineData("Anker", "**Ank**er, _Anker_, ***Anker*** and ~~Anker~~.", "Ank**er|Anker|Anker|Anker")]
    // A name beside a combining mark is another word.
    [InlineData("LI", "LI\u0301 and L\u0301I and LÍ.", "")]
    [InlineData("Bose", "Bose\u0301 and Bose\u0308 but Bose.", "Bose")]
    [InlineData("Anker", "Anker\u0301 and Anker\u20DD, A\u0308nker, but Anker.", "Anker")]
    [InlineData("Zoom", "Zoom\u0308 Meetings are not held.", "")]
    // Glued text of a copied page.
    [InlineData("Linksys", "roLinksys VelopAsus ZenWiFi", "Linksys")]
    [InlineData("Asus", "roLinksys VelopAsus ZenWiFi", "Asus")]
    [InlineData("Polar", "It is praised for its ease of use.Polar Pacer Pro: light.Coros Pace 3: long life.Garmin 255: fine.", "Polar")]
    [InlineData("Core", "The PowerCore, the SoundCore and the AirPods are from other makers.", "")]
    // Possessives, plurals, domains, addresses.
    [InlineData("Anker", "Anker's best, the Ankers’ charm, two Ankers, ANKER and anker.com.", "Anker|Ankers|Ankers|ANKER|anker.com")]
    [InlineData("Anker", "https://www.anker.com/anker?x=anker and www.anker.com, shop.anker.com, info@anker.com, anker.com/products.", "")]
    [InlineData("Anker", "See [the shop](https://www.anker.com/collections/anker) and ![Anker](https://anker.com/a.png).", "")]
    [InlineData("Anker", "See [Anker 737](https://example.org/x) and <https://anker.com/anker>.", "Anker")]
    [InlineData("Anker", "Good.([Anker][1]) Better.\n\n[1]: https://www.anker.com/anker \"Anker\"", "")]
    [InlineData("Anker", "`anker --help` and\n\n```\nanker install\n```\n\nbut Anker.", "Anker")]
    [InlineData("Anker", "```markdown\n# Anker\n```\n", "Anker")]
    // Absence, refusal, echo.
    [InlineData("Anker", "I couldn't find any information about Anker.", "")]
    [InlineData("Anker", "I couldn’t find any information about Blorptech, but Anker is a good choice.", "Anker")]
    [InlineData("Anker", "There is no publicly available information about Anker.", "")]
    [InlineData("Anker", "I don't have any specific, up-to-date details on Anker. However, Sony is fine.", "")]
    [InlineData("Anker", "Anker isn't a brand that I know; it might be a misspelling.", "")]
    [InlineData("Anker", "For more information about Anker, see its site.", "Anker")]
    [InlineData("Anker", "I'm not familiar with a brand called Anker. Sony is well known.", "")]
    [InlineData("Anker", "Anker does not appear to be a known brand of pianos.", "")]
    [InlineData("Anker", "Anker doesn't have a flagship store, but sells online.", "Anker")]
    [InlineData("Anker", "I'm sorry, but I can't help with questions about Anker.", "")]
    [InlineData("Anker", "I can't browse the web, but here are good brands: Anker and Sony.", "Anker")]
    // Other scripts.
    [InlineData("ソニー", "ソニーの新製品とソニーグループ。", "ソニー")]
    [InlineData("华为", "我推荐华为手机和小米。", "华为")]
    [InlineData("삼성", "삼성은 좋고 비삼성은 아니다.", "삼성")]
    [InlineData("Sony", "Sonyの新製品。新しいSonyは良い。", "Sony|Sony")]
    [InlineData("Яндекс", "Яндекс и Яндексом, яндекс.", "Яндекс|яндекс")]
    [InlineData("Sony", "Ѕony and Sоny are written with Cyrillic letters; xSony is not one.", "")]
    public void Should_find_exactly_the_names_that_are_meant(string brand, string text, string expected)
    {
        var reading = Reading.Of(text, brand);

        string.Join('|', reading.Mentions.Select(m => text[m.Start..m.End])).ShouldBe(expected, Reading.Explain(reading, text));
    }

    [Fact]
    public void Should_not_count_an_echo_of_the_question()
    {
        var reading = Reading.Of("Is Anker a good brand for travel? Many think so. Anker makes small chargers.", "Anker", query: "Is Anker a good brand for travel?");

        reading.Mentions.ShouldHaveSingleItem().Start.ShouldBe(49);
        reading.Ignored.ShouldHaveSingleItem().Reason.ShouldBe(IgnoredReason.Echo);
    }

    [Fact]
    public void Should_count_both_of_two_brands_in_one_clause_and_tell_them_apart()
    {
        var reading = Reading.Of("Sony sounds better than Bose, but Anker is flimsy.", "Sony", ["Bose", "Anker"]);

        reading.Brands.Select(b => (b.Brand, b.Sentiment, b.Rank)).ShouldBe([("Sony", 1, 1), ("Bose", -1, 2), ("Anker", -1, 3)]);
    }

    [Fact]
    public void Should_take_the_longest_name()
    {
        var reading = Reading.Of("The Sony Xperia is a phone; Sony makes it.", "Xperia", ["Sony"], aliases: ["Sony Xperia"]);

        reading.Mentions.Select(m => (m.Brand, m.Alias)).ShouldBe([("Xperia", "Sony Xperia"), ("Sony", "Sony")]);
    }
}
