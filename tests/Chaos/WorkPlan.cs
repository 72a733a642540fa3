using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Assay.Contracts;

namespace Assay.Chaos;

/// <summary>What a producer does with one audit.</summary>
public sealed record PlannedAudit
{
    public required RequestAudit Request { get; init; }

    /// <summary>When it is requested, from the start of the seed.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>By the REST interface instead of the bus.</summary>
    public bool ByRest { get; init; }

    /// <summary>The request is sent once more a little later, as a producer that is not sure.</summary>
    public bool Twice { get; init; }

    /// <summary>When it is cancelled; null for never.</summary>
    public TimeSpan? CancelAt { get; init; }

    /// <summary>Retried once if it fails or is cancelled.</summary>
    public bool Retry { get; init; }

    /// <summary>The retry permits one further paid try of each call in doubt.</summary>
    public bool AskInDoubtAgain { get; init; }
}

/// <summary>The audits of one seed and what is done with them. Pure: the same seed asks for the same.</summary>
public sealed record WorkPlan(IReadOnlyList<PlannedAudit> Audits, TimeSpan? HaltAt, TimeSpan HaltFor)
{
    /// <summary>The work of a seed.</summary>
    /// <param name="crowd">How large and long the crowd is; the other profiles do not ask.</param>
    public static WorkPlan Of(Profile profile, int seed, TimeSpan deadline, Crowd? crowd = null)
    {
        crowd ??= Crowd.Whole;
        var random = new Random(seed * 31 + 7);
        var count = profile switch { Profile.Short => 4 + random.Next(3), Profile.Long => 8 + random.Next(5), Profile.Matrix => 10, _ => crowd.Audits };
        var haltAt = profile is Profile.Short or Profile.Long && random.Next(4) == 0 ? Moment(random, 0.5, 3) : (TimeSpan?)null;
        var spread = profile switch { Profile.Short => 3.0, Profile.Long => 25, Profile.Matrix => 12, _ => crowd.KillsFor.TotalSeconds * 0.8 };
        var audits = Enumerable.Range(0, count).Select(number => Audit(random, profile, seed, number, deadline, spread / (profile is Profile.Crowd ? count : 12))).ToList();
        return new WorkPlan(audits, haltAt, TimeSpan.FromSeconds(2));
    }

    static PlannedAudit Audit(Random random, Profile profile, int seed, int number, TimeSpan deadline, double apart)
    {
        var id = IdOf($"{profile}/{seed}/{number}");
        var queries = profile switch { Profile.Crowd => 4, Profile.Matrix => 18, _ => 3 + random.Next(8) };
        var planned = profile is Profile.Short or Profile.Long && random.Next(5) == 0;
        var brand = $"Brand {id.ToString("N")[..10]}";
        var request = new RequestAudit
        {
            AuditId = id,
            Brand = new Brand { Name = brand, Industry = "software" },
            Competitors = [new Competitor { Name = "Globex" }, new Competitor { Name = "Initech" }],
            Queries = planned ? null : [.. Enumerable.Range(0, queries).Select(query => string.Create(CultureInfo.InvariantCulture, $"which tool number {query} is best for teams of {number + 2}"))],
            QueryCount = planned ? queries : null,
            Engines = [profile is Profile.Crowd ? "simulated" : "fake"],
            // Some ceilings pay for a part only: declined calls are an outcome too.
            CeilingUsd = random.Next(6) == 0 && profile is Profile.Short or Profile.Long ? 0.08m : 5m,
            InDoubt = random.Next(4) == 0 ? InDoubtPolicies.AskAgain : InDoubtPolicies.Keep,
            MinCoverage = 0.5,
            DeadlineMinutes = deadline.TotalMinutes,
            RequestedBy = "tests/Chaos",
        };
        var cancels = profile is Profile.Short or Profile.Long && random.Next(6) == 0;
        var at = TimeSpan.FromSeconds(apart * number * (0.5 + random.NextDouble()));
        return new PlannedAudit
        {
            Request = request,
            At = at,
            ByRest = random.Next(3) == 0,
            Twice = random.Next(4) == 0,
            CancelAt = cancels ? at + Moment(random, 0.2, 2.5) : null,
            Retry = profile is not Profile.Crowd && random.Next(3) != 0,
            AskInDoubtAgain = random.Next(2) == 0,
        };
    }

    static TimeSpan Moment(Random random, double from, double to) => TimeSpan.FromMilliseconds(Math.Round(1000 * (from + (to - from) * random.NextDouble())));

    static Guid IdOf(string name) => new(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
}
