using System.Globalization;
using System.Text;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>Writes one simulated answer to a buyer's question.</summary>
internal sealed class AnswerWriter(string engine, EngineRequest request, SeededRandom random)
{
    /// <summary>How an engine tends to answer. Weights of the shapes: list, sections, table, prose, short; how often it searches and links.</summary>
    sealed record Persona(double[] Shapes, double Searches, double Links, bool Footnotes, int Fewest, int Most);

    sealed record Choice(KnownBrand Brand, string Display, int Polarity);

    internal sealed record Written(string Text, IReadOnlyList<AnswerSource> Sources, bool Searched);

    static readonly Dictionary<string, Persona> Personas = new(StringComparer.OrdinalIgnoreCase)
    {
        ["chatgpt"] = new([0.45, 0.30, 0.10, 0.10, 0.05], 0.4, 0.4, Footnotes: false, 4, 8),
        ["claude"] = new([0.25, 0.15, 0.05, 0.45, 0.10], 0, 0.1, Footnotes: false, 3, 6),
        ["gemini"] = new([0.20, 0.40, 0.25, 0.10, 0.05], 0.5, 0.3, Footnotes: false, 4, 9),
        ["perplexity"] = new([0.40, 0.15, 0.15, 0.20, 0.10], 1, 0, Footnotes: true, 3, 7),
    };

    static readonly string[] Publishers = ["wirecutter.example.org", "reviews.example.org", "lab.example.org", "forum.example.org", "buyersguide.example.com", "magazine.example.net", "www.reddit.com", "www.rtings.com", "www.techradar.com", "www.consumerreports.org"];

    readonly Phrases phrases = Phrases.For(request.Locale);
    readonly StringBuilder text = new(2048);
    readonly SourceList sources = new();
    readonly List<string> footnotes = [];
    readonly HashSet<string> said = new(StringComparer.Ordinal);
    Topic topic = null!;
    string subject = "";
    Persona persona = null!;
    bool searched;

    public Written Write()
    {
        persona = Personas.TryGetValue(engine, out var known) ? known
            : Personas.Values.ElementAt((int)(SeededRandom.Of("persona", engine.ToLowerInvariant()) * Personas.Count));
        var query = request.Text.Length > 2000 ? request.Text[..2000] : request.Text;
        var named = Vocabulary.BrandsNamedIn(query);
        IReadOnlyList<string> unknown = phrases.CapitalNouns ? [] : Vocabulary.UnknownNamesIn(query);
        topic = Vocabulary.TopicOf(query, named, out var word);
        subject = topic.Name;
        if (phrases.Features is { } features)
        {
            topic = topic with { Features = features, Uses = phrases.Uses ?? topic.Uses };
            subject = word;
        }
        searched = random.Chance(persona.Searches);

        if (named.Count + unknown.Count > 0)
            WriteAbout(named, unknown);
        else if (random.Chance(0.06))
            text.Append(Format(random.Pick(phrases.NoBrands), subject, random.Pick(topic.Features)));
        else
            WriteChoices(Choose(exclude: [], random.Between(persona.Fewest, persona.Most)));
        WriteFootnotes();
        return new Written(text.ToString().TrimEnd(), sources.Sources, searched);
    }

    /// <summary>Brands weighted by how known they are, how this engine sees them and, for a part, by chance of the run.</summary>
    List<Choice> Choose(IReadOnlyCollection<string> exclude, int count)
    {
        var query = request.Text.Trim().ToLowerInvariant();
        return [.. topic.Brands
            .Where(brand => !exclude.Contains(brand.Name, StringComparer.OrdinalIgnoreCase))
            .Select((brand, index) => (brand, weight: 1.0 - 0.75 * index / topic.Brands.Count
                + 0.35 * SeededRandom.Of("taste", engine, brand.Name)
                + 0.55 * SeededRandom.Of("fit", engine, query, brand.Name)
                + 0.30 * random.Next()))
            .OrderByDescending(pair => pair.weight)
            .Take(count)
            .Select((pair, rank) => ToChoice(pair.brand, rank))];
    }

    Choice ToChoice(KnownBrand brand, int rank)
    {
        var display = brand.Models.Count > 0 && random.Chance(0.75) ? $"{brand.Name} {random.Pick(brand.Models)}" : brand.Name;
        var polarity = rank == 0 || random.Chance(0.62) ? 1 : random.Chance(0.6) ? 0 : -1;
        return new Choice(brand, display, polarity);
    }

    void WriteChoices(List<Choice> choices)
    {
        var shape = random.Next();
        var at = 0;
        while (at < persona.Shapes.Length - 1 && shape >= persona.Shapes[at])
            shape -= persona.Shapes[at++];
        switch (at)
        {
            case 0: WriteList(choices); break;
            case 1: WriteSections(choices); break;
            case 2: WriteTable(choices); break;
            case 3: WriteProse(choices); break;
            default: WriteShort(choices); break;
        }
    }

    void WriteList(List<Choice> choices)
    {
        Paragraph(Format(random.Pick(phrases.Intros), subject));
        var numbered = random.Chance(0.7);
        for (var i = 0; i < choices.Count; i++)
        {
            var mark = numbered ? string.Create(CultureInfo.InvariantCulture, $"{i + 1}.") : "-";
            text.Append(mark).Append(" **").Append(Linked(choices[i])).Append("** – ").Append(Judgement(choices[i], i == 0)).Append(Footnote(choices[i])).Append('\n');
        }
        text.Append('\n');
        Ending(choices);
    }

    void WriteSections(List<Choice> choices)
    {
        Paragraph(Format(random.Pick(phrases.Intros), subject));
        for (var i = 0; i < choices.Count; i++)
        {
            var heading = i == 0 ? phrases.BestOverall : Format(phrases.BestFor, topic.Uses[(i - 1) % topic.Uses.Count]);
            text.Append("### ").Append(heading).Append("\n\n**").Append(Linked(choices[i])).Append("**\n\n- ")
                .Append(Judgement(choices[i], i == 0)).Append(Footnote(choices[i])).Append("\n- ").Append(Sentence(phrases.Plain)).Append("\n\n");
        }
        Ending(choices);
    }

    void WriteTable(List<Choice> choices)
    {
        Paragraph(Format(random.Pick(phrases.Intros), subject));
        text.Append(phrases.TableHead).Append("\n|---|---|---|\n");
        for (var i = 0; i < choices.Count; i++)
            text.Append("| **").Append(choices[i].Display).Append("** | ").Append(random.Pick(topic.Features)).Append(" | ").Append(Judgement(choices[i], i == 0)).Append(Footnote(choices[i])).Append(" |\n");
        text.Append('\n');
        Ending(choices);
    }

    void WriteProse(List<Choice> choices)
    {
        text.Append(Format(random.Pick(phrases.Intros), subject)).Append(' ');
        for (var i = 0; i < choices.Count; i++)
        {
            if (i > 0 && i % 3 == 0)
                text.Append("\n\n");
            text.Append("**").Append(Linked(choices[i])).Append("**: ").Append(Judgement(choices[i], i == 0)).Append(Footnote(choices[i])).Append(' ');
        }
        text.Append("\n\n");
        Ending(choices);
    }

    void WriteShort(List<Choice> choices)
    {
        text.Append(Format(random.Pick(phrases.Verdicts), choices[0].Display)).Append(' ').Append(Judgement(choices[0], first: true)).Append(Footnote(choices[0]));
        if (choices.Count > 1)
            text.Append(' ').Append(Format(phrases.AlsoWorth, string.Join(", ", choices.Skip(1).Take(2).Select(choice => choice.Display))));
        text.Append('\n');
    }

    /// <summary>The question names brands: compare them, describe them, or offer others instead.</summary>
    void WriteAbout(IReadOnlyList<string> named, IReadOnlyList<string> unknown)
    {
        foreach (var name in unknown)
        {
            // Some small brands are known to some engines; a made-up name is mostly, not always, seen through.
            if (SeededRandom.Of("knows", engine.ToLowerInvariant(), name.ToLowerInvariant()) < 0.35 && named.Count > 0)
                Paragraph(Format(random.Pick(phrases.About), name, random.Pick(topic.Features)));
            else
                Paragraph(Format(random.Pick(phrases.Unknown), name));
        }
        var choices = named.Take(4).Select((name, rank) => ToChoice(Known(name), rank + random.Below(2))).ToList();
        var alternatives = Vocabulary.HasWord(request.Text, "alternatives") || Vocabulary.HasWord(request.Text, "alternative") || Vocabulary.HasWord(request.Text, "instead of");
        if (choices.Count >= 2 && !alternatives)
        {
            Paragraph(Format(random.Pick(phrases.Versus), choices[0].Display, random.Pick(topic.Features), choices[1].Display));
            foreach (var choice in choices)
                text.Append("- **").Append(Linked(choice)).Append("**: ").Append(Judgement(choice, first: false)).Append(Footnote(choice)).Append('\n');
            text.Append('\n');
            Paragraph(Format(random.Pick(phrases.Verdicts), choices[random.Below(2)].Display));
            return;
        }
        foreach (var choice in choices)
            Paragraph(Format(random.Pick(phrases.About), choice.Brand.Name, random.Pick(topic.Features)) + " " + Judgement(choice, first: false) + Footnote(choice));
        if (alternatives || choices.Count == 0 || random.Chance(0.5))
            WriteList(Choose(exclude: alternatives ? named : [], random.Between(2, Math.Max(3, persona.Most - 2))));
    }

    /// <summary>The brand as this topic knows it: its headphones are no answer to a question about chargers.</summary>
    KnownBrand Known(string name) => topic.Brands.FirstOrDefault(brand => string.Equals(brand.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? (Vocabulary.Find(name) is { } elsewhere ? elsewhere with { Models = [] } : new KnownBrand(name, [], ""));

    void Ending(List<Choice> choices)
    {
        if (random.Chance(0.55))
            Paragraph(Format(random.Pick(phrases.Verdicts), choices[random.Chance(0.8) || choices.Count == 1 ? 0 : 1].Display));
        if (random.Chance(0.7))
            Paragraph(random.Pick(phrases.Closings));
    }

    string Judgement(Choice choice, bool first)
    {
        var judged = Sentence(first ? phrases.Best : choice.Polarity switch { > 0 => phrases.Good, 0 => phrases.Plain, _ => phrases.Bad });
        return choice.Polarity > 0 && random.Chance(0.2) ? judged + " " + Sentence(phrases.Bad) : judged;
    }

    /// <summary>A sentence that this answer has not said yet, where there is one.</summary>
    string Sentence(string[] from)
    {
        var sentence = "";
        for (var attempt = 0; attempt < 8; attempt++)
        {
            sentence = Format(random.Pick(from), subject, random.Pick(topic.Features));
            if (said.Add(sentence))
                break;
        }
        return sentence;
    }

    string Linked(Choice choice)
    {
        if (choice.Brand.Domain.Length == 0 || !random.Chance(persona.Links))
            return choice.Display;
        var url = $"https://www.{choice.Brand.Domain}/products/{Slug(choice.Display)}";
        if (searched)
            sources.Add(url, choice.Display, cited: true);
        return $"[{choice.Display}]({url})";
    }

    string Footnote(Choice choice)
    {
        if (!searched || !persona.Footnotes || !random.Chance(0.7))
            return "";
        var owned = choice.Brand.Domain.Length > 0 && random.Chance(0.35);
        var url = owned ? $"https://www.{choice.Brand.Domain}/products/{Slug(choice.Display)}" : $"https://{random.Pick(Publishers)}/{Slug(subject)}/{Slug(choice.Display)}";
        var number = footnotes.IndexOf(url);
        if (number < 0)
        {
            footnotes.Add(url);
            number = footnotes.Count - 1;
            sources.Add(url, $"{choice.Display} {phrases.Review}", cited: true);
        }
        return string.Create(CultureInfo.InvariantCulture, $"[{number + 1}]");
    }

    void WriteFootnotes()
    {
        if (!searched)
            return;
        // A search retrieves more than the answer cites.
        for (var i = random.Between(1, 3); i > 0; i--)
            sources.Add($"https://{random.Pick(Publishers)}/{Slug(subject)}", $"{subject} {phrases.Review}", cited: false);
        if (footnotes.Count == 0 || !random.Chance(0.4))
            return;
        text.Append("\n**").Append(phrases.Sources).Append("**\n");
        for (var i = 0; i < footnotes.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"[{i + 1}] {footnotes[i]}\n");
    }

    void Paragraph(string paragraph) => text.Append(paragraph).Append("\n\n");

    static string Format(string phrase, string zero, string one = "", string two = "") =>
        phrase.Replace("{0}", zero, StringComparison.Ordinal).Replace("{1}", one, StringComparison.Ordinal).Replace("{2}", two, StringComparison.Ordinal);

    static string Slug(string words)
    {
        var slug = new StringBuilder(words.Length);
        foreach (var c in words.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
                slug.Append(c);
            else if (slug.Length > 0 && slug[^1] != '-')
                slug.Append('-');
        }
        return slug.ToString().TrimEnd('-');
    }
}
