using System.Globalization;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>
/// Writes the simulated advisor's JSON from the machine-readable block of a prompt (JSON between the lines <c>&lt;&lt;&lt;assay-input</c>
/// and <c>assay-input&gt;&gt;&gt;</c>): queries from its brand and industry, findings that rest on its answers and repeat only its numbers.
/// </summary>
internal static class AdvisorWriter
{
    const string Begin = "<<<assay-input";
    const string End = "assay-input>>>";

    public static string Write(EngineRequest request, SeededRandom random, int maxCharacters)
    {
        using var block = Input(request.Text);
        var input = block?.RootElement ?? default;
        return request.Purpose switch
        {
            Purposes.Plan => Plan(request, input, random, maxCharacters),
            Purposes.Judge => Judge(input, random, maxCharacters),
            _ => Insight(input, random, maxCharacters),
        };
    }

    static JsonDocument? Input(string prompt)
    {
        var begin = prompt.IndexOf(Begin, StringComparison.Ordinal);
        if (begin < 0)
            return null;
        begin += Begin.Length;
        var end = prompt.IndexOf(End, begin, StringComparison.Ordinal);
        if (end < 0)
            return null;
        try
        {
            var parsed = JsonDocument.Parse(prompt.AsMemory(begin, end - begin));
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
                return parsed;
            parsed.Dispose();
            return null;
        }
        catch (JsonException)
        {
            // A prompt without a readable block is answered like one without any, as a model would.
            return null;
        }
    }

    static string Plan(EngineRequest request, JsonElement input, SeededRandom random, int maxCharacters)
    {
        var brand = NameOf(Property(input, "brand")) ?? "the brand";
        var industry = Text(input, "industry") ?? Text(Property(input, "brand"), "industry") ?? "";
        var competitors = Names(Property(input, "competitors"));
        var count = Math.Clamp(Integer(input, "queryCount") ?? 20, 1, 1000);
        IReadOnlyList<Topic> topics = [.. Vocabulary.TopicsOfBrand(brand).Take(5)];
        if (topics.Count == 0 && competitors.Count > 0)
            topics = [.. competitors.SelectMany(Vocabulary.TopicsOfBrand).Distinct().Take(3)];
        if (topics.Count == 0)
            topics = [Vocabulary.TopicOf(industry.Length > 0 ? industry : brand, [])];
        var queries = new List<object>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var length = 20;
        var language = (Text(input, "locale") ?? request.Locale).Split('-', '_')[0].ToLowerInvariant();
        var candidates = language switch
        {
            "en" => Candidates(brand, competitors, topics, random),
            "de" or "fr" or "es" => CandidatesIn(Phrases.For(language), brand, competitors, industry.Length > 0 ? industry : topics[0].Name),
            // No plan is better than one in another language than the market's.
            _ => [],
        };
        foreach (var (text, category) in candidates)
        {
            if (queries.Count == count || length + text.Length + 40 > maxCharacters)
                break;
            if (!seen.Add(text))
                continue;
            queries.Add(new { text, category });
            length += text.Length + category.Length + 30;
        }
        return JsonSerializer.Serialize(new { queries }, AssayJson.Options);
    }

    static IEnumerable<(string Text, string Category)> Candidates(string brand, IReadOnlyList<string> competitors, IReadOnlyList<Topic> topics, SeededRandom random)
    {
        foreach (var topic in topics)
            yield return ($"best {topic.Name}", "category best");
        foreach (var competitor in competitors.Take(3))
            yield return ($"{brand} vs {competitor}: which is better?", "comparison");
        yield return ($"what are good alternatives to {brand}?", "alternatives");
        string[] prices = ["under $50", "under $100", "under $200", "for a small budget", "that are worth the money"];
        string[] places = ["near me", "in Europe", "in the US"];
        // Rounds of ever finer combinations, so that any number of distinct queries can be had.
        for (var round = 0; round < 200; round++)
        {
            foreach (var topic in topics)
            {
                var use = topic.Uses[round % topic.Uses.Count];
                var feature = topic.Features[(round + round / topic.Features.Count) % topic.Features.Count];
                var suffix = round < topic.Uses.Count ? "" : $" with {feature}";
                yield return ($"best {topic.Name} for {use}{suffix}", "use case");
                yield return ($"which {topic.Name} have the best {feature}{(round < topic.Features.Count ? "" : $" for {use}")}?", "feature");
                yield return ($"{topic.Name} {prices[round % prices.Length]}{(round < prices.Length ? "" : $" for {use}")}", "price");
                yield return ($"my old {topic.Name} have poor {feature}, what should I buy for {use}?", "problem");
                if (round < places.Length)
                    yield return ($"where to buy {topic.Name} {places[round]}", "local");
                if (random.Chance(0.3))
                    yield return ($"most recommended {topic.Name} for {use} this year{suffix}", "category best");
            }
        }
    }

    static IEnumerable<(string Text, string Category)> CandidatesIn(Phrases phrases, string brand, IReadOnlyList<string> competitors, string noun)
    {
        foreach (var competitor in competitors.Take(3))
            yield return (phrases.AskComparison.Replace("{0}", brand, StringComparison.Ordinal).Replace("{1}", competitor, StringComparison.Ordinal), "comparison");
        yield return (phrases.AskAlternatives.Replace("{0}", brand, StringComparison.Ordinal), "alternatives");
        var features = phrases.Features ?? [];
        var uses = phrases.Uses ?? [];
        for (var round = 0; round < uses.Length * features.Length; round++)
        {
            foreach (var (question, category) in phrases.Ask)
            {
                yield return (question.Replace("{0}", noun, StringComparison.Ordinal).Replace("{1}", features[round % features.Length], StringComparison.Ordinal)
                    .Replace("{2}", uses[(round / features.Length + round % features.Length) % uses.Length], StringComparison.Ordinal), category);
            }
        }
    }

    static string Insight(JsonElement input, SeededRandom random, int maxCharacters)
    {
        var brand = NameOf(Property(input, "brand")) ?? "The brand";
        var theme = Text(input, "theme") ?? "visibility";
        var layer = Integer(input, "layer") ?? 1;
        var answers = Items(Property(input, "answers")).Where(answer => Text(answer, "callKey") is not null).ToList();
        var with = answers.Where(answer => Mentions(answer, brand)).ToList();
        var without = answers.Where(answer => !Mentions(answer, brand)).ToList();
        var evidence = with.Take(3).Concat(without.Take(3)).Select(answer => Text(answer, "callKey")!).Distinct(StringComparer.Ordinal).ToList();
        var insights = Items(Property(input, "insights")).Concat(Items(Property(input, "findings"))).Select(InsightId).OfType<string>().Distinct(StringComparer.Ordinal).Take(18).ToList();
        var preferred = Texts(Property(input, "metrics"));
        var numbers = Scores(Property(input, "scores")).OrderBy(number => preferred.IndexOf(number.Name) is var at and >= 0 ? at : int.MaxValue).ToList();

        var sentences = new List<string>();
        if (answers.Count > 0)
            sentences.Add(string.Create(CultureInfo.InvariantCulture, $"{brand} appears in {with.Count} of the {answers.Count} answers examined here."));
        foreach (var number in numbers.Take(2))
            sentences.Add($"{Capital(Words(number.Name))} is {Shown(number)}.");
        if (numbers.Count > 0 && Extremes(Property(input, "engines"), numbers[0].Name) is { } engines)
            sentences.Add($"By {Words(numbers[0].Name)}, {engines.Highest} is ahead and {engines.Lowest} behind.");
        if (numbers.Count > 0 && Extremes(Property(input, "competitorScores"), numbers[0].Name) is { } rivals)
            sentences.Add($"Among the competitors, {rivals.Highest} leads.");
        if (with.Count > 0 && Text(random.Pick(with), "query") is { } strong)
            sentences.Add($"It is named for \"{strong}\".");
        if (without.Count > 0 && random.Pick(without) is var gap && Text(gap, "query") is { } weak)
            sentences.Add($"It is missing for \"{weak}\"{(Text(gap, "engine") is { } engine ? $" on {engine}" : "")}.");
        if (insights.Count > 0)
            sentences.Add($"This rests on {string.Join(", ", insights.Take(6))}.");
        sentences.Add(random.Pick<string>(
        [
            "Pages that answer such questions directly would give engines something to quote.", "Independent reviews are what the answers lean on; being part of them matters most.",
            "The gaps are concentrated in few questions, so they can be worked on one by one.", "The intervals are wide enough that small differences should not be read as change.",
            "Where competitors are named instead, the answers give a concrete reason; the product pages should give one too.",
        ]));

        var metric = numbers.Count > 0 ? numbers[0].Name : "visibility";
        var recommendations = without.Take(layer == 1 ? 1 : 4).Where(answer => Text(answer, "query") is not null).Select((answer, index) => new
        {
            title = index switch { 0 => $"Answer \"{Text(answer, "query")}\" on an own page", 1 => $"Be part of the comparisons for \"{Text(answer, "query")}\"", _ => $"Close the gap for \"{Text(answer, "query")}\"" },
            action = random.Pick<string>([$"Publish a page that answers this question in its first sentence and compares {brand} fairly with the alternatives.", $"Offer review units of {brand} to the publications that the answers cite.", "Add a table of facts and a short FAQ with this wording to the product page."]),
            query = Text(answer, "query"),
            engine = Text(answer, "engine"),
            metric,
            evidence = new[] { Text(answer, "callKey")! },
        }).ToList();

        theme = theme.Replace('-', ' ');
        var title = layer switch
        {
            1 => $"{Capital(theme)}: {(answers.Count == 0 ? "little to go on" : with.Count * 2 >= answers.Count ? $"{brand} is present" : $"{brand} is often missing")}",
            2 => $"{Capital(theme)}: what the findings have in common",
            _ => $"{brand} in the answers of AI engines",
        };
        var json = JsonSerializer.Serialize(new { title, text = string.Join(' ', sentences), evidence, insights, recommendations }, AssayJson.Options);
        // An output limit must not make the JSON unreadable.
        return json.Length <= maxCharacters ? json
            : JsonSerializer.Serialize(new { title, text = sentences[0], evidence = evidence.Take(2), insights = insights.Take(2), recommendations = Array.Empty<object>() }, AssayJson.Options);
    }

    static string Judge(JsonElement input, SeededRandom random, int maxCharacters)
    {
        var brand = NameOf(Property(input, "brand")) ?? "";
        var judgements = Items(Property(input, "answers")).Where(answer => Text(answer, "callKey") is not null).Take(Math.Max(1, maxCharacters / 160)).Select(answer =>
        {
            var mentioned = Mentions(answer, brand);
            return new
            {
                callKey = Text(answer, "callKey"),
                sentiment = mentioned ? random.Chance(0.7) ? 1 : random.Chance(0.5) ? 0 : -1 : 0,
                recommendation = mentioned ? random.Pick<double>([0.25, 0.5, 0.75, 1]) : 0,
            };
        }).ToList();
        return JsonSerializer.Serialize(new { judgements }, AssayJson.Options);
    }

    static bool Mentions(JsonElement answer, string brand)
    {
        if (Property(answer, "mentioned") is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag)
            return flag.GetBoolean();
        var mentions = Property(answer, "mentions");
        return mentions.ValueKind switch
        {
            JsonValueKind.Array => mentions.EnumerateArray().Any(mention => string.Equals(NameOf(mention) ?? Text(mention, "brand"), brand, StringComparison.OrdinalIgnoreCase)),
            JsonValueKind.Number => mentions.TryGetDouble(out var count) && count > 0,
            _ => Text(answer, "excerpt") is { } excerpt && Vocabulary.HasWord(excerpt, brand),
        };
    }

    sealed record Score(string Name, double Value, double? Low, double? High);

    static readonly HashSet<string> Shares = new(StringComparer.Ordinal) { "visibility", "shareOfVoice", "shareOfVoiceOpen", "shareOfVoiceProminence", "recommendationRate", "citationRate", "top1", "top3", "contextCompleteness", "stability" };

    /// <summary>The given numbers that have a value.</summary>
    static IEnumerable<Score> Scores(JsonElement scores)
    {
        if (scores.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var score in scores.EnumerateObject())
        {
            if ((score.Value.ValueKind == JsonValueKind.Object ? Number(score.Value, "value") : Number(scores, score.Name)) is { } value)
                yield return new Score(score.Name, value, Number(score.Value, "low"), Number(score.Value, "high"));
        }
    }

    /// <summary>A given number as a reader sees it: never one of the simulator's own.</summary>
    static string Shown(Score score)
    {
        var share = Shares.Contains(score.Name) && (double?[])[score.Value, score.Low, score.High] is var all && Array.TrueForAll(all, number => number is null or >= 0 and <= 1);
        var value = Format(score.Value);
        return score is { Low: { } low, High: { } high } ? $"{value} (95 % interval {Format(low)} to {Format(high)})" : value;

        string Format(double number) => share ? (100 * number).ToString("0.#", CultureInfo.InvariantCulture) + " %" : number.ToString("0.###", CultureInfo.InvariantCulture);
    }

    /// <summary>Who has the highest and lowest value of a metric; null when fewer than two have one, or all the same.</summary>
    static (string Highest, string Lowest)? Extremes(JsonElement groups, string metric)
    {
        if (groups.ValueKind != JsonValueKind.Object)
            return null;
        var ranked = new List<(string Name, double Value)>();
        foreach (var group in groups.EnumerateObject())
        {
            var scores = Property(group.Value, "scores") is { ValueKind: JsonValueKind.Object } inner ? inner : group.Value;
            if (Number(Property(scores, metric), "value") is { } value)
                ranked.Add((group.Name, value));
        }
        ranked.Sort((a, b) => b.Value.CompareTo(a.Value));
        return ranked.Count >= 2 && ranked[0].Value > ranked[^1].Value ? (ranked[0].Name, ranked[^1].Name) : null;
    }

    /// <summary>A metric's name as words: <c>shareOfVoice</c> is share of voice.</summary>
    static string Words(string name) => string.Concat(name.Select((c, at) => char.IsUpper(c) ? (at > 0 ? " " : "") + char.ToLowerInvariant(c) : c.ToString()));

    static double? Number(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    static List<string> Texts(JsonElement element) => [.. Items(element).Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)];

    static string? InsightId(JsonElement insight) => insight.ValueKind == JsonValueKind.String ? insight.GetString() : Text(insight, "insightId") ?? Text(insight, "id");

    static JsonElement Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    static string? Text(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.String } value && value.GetString() is { Length: > 0 } text ? text : null;

    static int? Integer(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    static IEnumerable<JsonElement> Items(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : [];

    static string? NameOf(JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString() : Text(element, "name");

    static IReadOnlyList<string> Names(JsonElement element) => [.. Items(element).Select(NameOf).OfType<string>()];

    static string Capital(string words) => words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];
}
