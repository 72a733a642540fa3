using System.Collections.Frozen;
using System.Globalization;
using System.Net;

namespace Assay.PublicSuffix;

/// <summary>
/// The part of a host name that somebody registered: <c>anker.com</c> for <c>https://shop.anker.com/earbuds</c>,
/// <c>example.co.uk</c> for <c>www.example.co.uk</c>. Rules: the Public Suffix List, pinned beside this file.
/// </summary>
public static class RegistrableDomain
{
    // A host name of the DNS has at most 253 characters; the rest leaves room for a scheme, user, port and path.
    private const int LongestHost = 253;
    private const int LongestUrl = 16 * 1024;

    private static readonly IdnMapping Idn = new() { AllowUnassigned = true };
    private static readonly FrozenDictionary<string, Rule> Rules = Load();
    private static readonly FrozenDictionary<string, Rule>.AlternateLookup<ReadOnlySpan<char>> RulesBySpan =
        Rules.GetAlternateLookup<ReadOnlySpan<char>>();

    private enum Rule : byte { Plain, Wildcard, PlainAndWildcard, Exception }

    /// <summary>The registrable domain of a host or URL in lower-case ASCII (punycode) form.</summary>
    /// <param name="hostOrUrl">A host (<c>www.anker.com</c>), a URL with or without scheme, in Unicode or punycode.</param>
    /// <returns><see langword="null"/> when there is none: an IP address, a public suffix itself, a single label, no host.</returns>
    public static string? Of(string? hostOrUrl)
    {
        var host = HostOf(hostOrUrl);
        if (host is null)
            return null;

        var suffixStart = SuffixStart(host);
        if (suffixStart <= 0)
            return null;

        var dot = host.LastIndexOf('.', suffixStart - 2);
        return dot < 0 ? host : host[(dot + 1)..];
    }

    /// <summary>The host of a URL or a bare host, lower-case ASCII, without port and trailing dot; null when there is none.</summary>
    public static string? HostOf(string? hostOrUrl)
    {
        if (string.IsNullOrWhiteSpace(hostOrUrl) || hostOrUrl.Length > LongestUrl)
            return null;

        var rest = hostOrUrl.AsSpan().Trim();
        var scheme = rest.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0 && rest[..scheme].IndexOfAny("/?#") < 0)
            rest = rest[(scheme + 3)..];
        else if (rest.StartsWith("//", StringComparison.Ordinal))
            rest = rest[2..];

        var end = rest.IndexOfAny("/?#\\");
        if (end >= 0)
            rest = rest[..end];
        var user = rest.LastIndexOf('@');
        if (user >= 0)
            rest = rest[(user + 1)..];
        if (rest.StartsWith("[", StringComparison.Ordinal))
            return null; // An IPv6 literal has no registrable domain.
        var port = rest.LastIndexOf(':');
        if (port >= 0)
            rest = rest[..port];
        if (rest.EndsWith(".", StringComparison.Ordinal))
            rest = rest[..^1];

        if (rest.Length is 0 or > LongestHost || rest.IndexOfAny(" \t\r\n<>\"'`,;()[]{}|^%") >= 0)
            return null;
        if (IPAddress.TryParse(rest, out _))
            return null;

        try
        {
            return Idn.GetAscii(rest.ToString()).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null; // Empty labels, labels of more than 63 characters, unpaired surrogates: not a host name.
        }
    }

    // The longest matching rule decides; an exception rule beats all others; without a rule the last label is the suffix.
    // Walking from the left finds the longest first. Returns 0 when the host is itself a public suffix.
    private static int SuffixStart(string host)
    {
        for (var start = 0; start >= 0;)
        {
            var next = host.IndexOf('.', start);
            if (RulesBySpan.TryGetValue(host.AsSpan(start), out var rule))
            {
                if (rule is Rule.Exception)
                    return next + 1;
                if (rule is Rule.Plain or Rule.PlainAndWildcard)
                    return start;
            }

            if (next >= 0 && RulesBySpan.TryGetValue(host.AsSpan(next + 1), out var parent)
                && (parent is Rule.Wildcard or Rule.PlainAndWildcard))
                return start;
            if (next < 0)
                return start;
            start = next + 1;
        }

        return 0;
    }

    private static FrozenDictionary<string, Rule> Load()
    {
        using var stream = typeof(RegistrableDomain).Assembly.GetManifestResourceStream("public_suffix_list.dat")
            ?? throw new InvalidOperationException("The public suffix list is missing from the assembly Assay.PublicSuffix: rebuild it with public_suffix_list.dat embedded.");
        using var reader = new StreamReader(stream);
        var rules = new Dictionary<string, Rule>(10_000, StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal))
                continue;
            var (name, rule) = line[0] switch
            {
                '*' => (line[2..], Rule.Wildcard),
                '!' => (line[1..], Rule.Exception),
                _ => (line, Rule.Plain),
            };
            name = Idn.GetAscii(name).ToLowerInvariant();
            rules[name] = rules.TryGetValue(name, out var known) && known != rule ? Rule.PlainAndWildcard : rule;
        }

        return rules.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
