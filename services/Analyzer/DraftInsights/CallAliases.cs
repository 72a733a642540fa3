namespace Assay.Analyzer.DraftInsights;

/// <summary>
/// Short names for call keys in prompts: a model copies ten characters more reliably than sixty-four, and they cost less.
/// </summary>
sealed class CallAliases
{
    const int Shortest = 10;
    readonly Dictionary<string, string> fullByShort;
    readonly int length;

    CallAliases(IReadOnlyCollection<string> callKeys)
    {
        var longest = callKeys.Count == 0 ? 0 : callKeys.Max(key => key.Length);
        for (length = Shortest; length < longest && callKeys.Select(Short).Distinct(StringComparer.Ordinal).Count() < callKeys.Count;)
            length++;
        fullByShort = callKeys.ToDictionary(Short, key => key, StringComparer.Ordinal);
        foreach (var key in callKeys)
            fullByShort.TryAdd(key, key);
    }

    public static CallAliases Of(Evidence evidence) => new(evidence.Answers.Select(answer => answer.CallKey).ToHashSet(StringComparer.Ordinal));

    public string Short(string callKey) => callKey.Length <= length ? callKey : callKey[..length];

    /// <summary>The call key that a short or full name means; null if no answer of the audit has it.</summary>
    public string? Full(string said) => fullByShort.GetValueOrDefault(said);
}
