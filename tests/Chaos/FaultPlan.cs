using System.Globalization;
using System.Text;

namespace Assay.Chaos;

/// <summary>What can be done to the system.</summary>
public enum FaultKind
{
    /// <summary>kill -9 of one instance of a service, started again afterwards.</summary>
    Kill,

    /// <summary>SIGSTOP of one instance, SIGCONT afterwards.</summary>
    Freeze,

    /// <summary>SIGTERM of one instance, started again afterwards.</summary>
    Terminate,

    /// <summary>kill -9 of the broker, or of one node of it where there are several.</summary>
    KillBroker,

    /// <summary>kill -9 of the database server with all its sessions.</summary>
    KillDatabase,

    /// <summary>The packets between an instance and a server are lost; what is not given up arrives later.</summary>
    Drop,

    /// <summary>The packets come late.</summary>
    Delay,

    /// <summary>The server's end of every connection is gone and the instance is not told.</summary>
    HalfOpen,

    /// <summary>Every connection between an instance and a server is reset.</summary>
    Reset,

    /// <summary>The provider fails in the ways that providers do.</summary>
    Provider,

    /// <summary>An instance starts again with a clock that is ahead or behind.</summary>
    Clock,

    /// <summary>The database's disk is full.</summary>
    DiskFull,
}

/// <summary>The servers an instance talks to.</summary>
public enum Server
{
    Broker,
    Database,
    Provider,
}

/// <summary>One fault: when it begins, what it is, whom it hits, how long it lasts.</summary>
public sealed record Fault
{
    public required TimeSpan At { get; init; }
    public required TimeSpan For { get; init; }
    public required FaultKind Kind { get; init; }

    /// <summary>The service it hits, for example <c>LlmGateway</c>; null for servers.</summary>
    public string? Service { get; init; }

    /// <summary>Which instance of the service, or which node of the broker, from 0.</summary>
    public int Instance { get; init; }

    /// <summary>The other end of a broken link.</summary>
    public Server? Link { get; init; }

    /// <summary>How far the clock is off.</summary>
    public TimeSpan Offset { get; init; }

    /// <summary>Probabilities by the fake provider's names, for example <c>p429</c>.</summary>
    public IReadOnlyDictionary<string, double> Knobs { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    public override string ToString()
    {
        var whom = Service is null ? (Kind is FaultKind.KillBroker && Instance > 0 ? $" node {Instance}" : "") : $" {Service}/{Instance}";
        var what = Kind switch
        {
            FaultKind.Clock => string.Create(CultureInfo.InvariantCulture, $" by {Offset.TotalSeconds:0} s"),
            FaultKind.Provider => " " + string.Join(' ', Knobs.Select(knob => string.Create(CultureInfo.InvariantCulture, $"{knob.Key}={knob.Value:0.##}"))),
            _ => Link is null ? "" : $"–{Link}",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds:0.0}s {Kind}{whom}{what} for {For.TotalSeconds:0.0}s");
    }
}

/// <summary>How wide the faults of a run are.</summary>
public enum Profile
{
    /// <summary>One to three faults in the first seconds; a seed takes about a quarter of a minute.</summary>
    Short,

    /// <summary>Up to ten faults of every kind over half a minute, a broker of three nodes, the services' own leases.</summary>
    Long,

    /// <summary>One kind of fault by seed, five times, with 10 audits on the wire: what each may cost.</summary>
    Matrix,

    /// <summary>A thousand simulated audits while services are killed for five minutes.</summary>
    Crowd,
}

/// <summary>The size of a run of <see cref="Profile.Crowd"/>.</summary>
/// <param name="Audits">Audits that are asked for.</param>
/// <param name="KillsFor">From the first kill to the last; the audits are asked for over four fifths of it.</param>
/// <param name="Instances">Instances of each service.</param>
/// <param name="Pace">From one kill to the next on average. Where a start takes the machine longer than that, a crowd tests starting and little else.</param>
public sealed record Crowd(int Audits, TimeSpan KillsFor, int Instances, TimeSpan Pace)
{
    /// <summary>What the promise says: 1 000 audits, five minutes.</summary>
    public static readonly Crowd Whole = new(1000, TimeSpan.FromMinutes(5), 2, TimeSpan.FromSeconds(6));
}

/// <summary>The faults of one seed. The same seed and profile give the same plan on every machine.</summary>
public sealed record FaultPlan(Profile Profile, int Seed, IReadOnlyList<Fault> Faults)
{
    static readonly string[] Services = ["AuditSaga", "LlmGateway", "Analyzer", "Dashboard"];

    /// <summary>The plan of a seed.</summary>
    /// <param name="crowd">How large and long the crowd is; the other profiles do not ask.</param>
    public static FaultPlan Of(Profile profile, int seed, Crowd? crowd = null) => profile switch
    {
        Profile.Short => new(profile, seed, Short(new Random(seed))),
        Profile.Long => new(profile, seed, Long(new Random(seed * 7919))),
        Profile.Matrix => new(profile, seed, Matrix(seed)),
        Profile.Crowd => new(profile, seed, OfCrowd(new Random(seed * 104_729), crowd ?? Crowd.Whole)),
        _ => throw new ArgumentOutOfRangeException(nameof(profile), profile, "Unknown profile."),
    };

    /// <summary>When the last fault is over, as planned.</summary>
    public TimeSpan End => Faults.Count == 0 ? TimeSpan.Zero : Faults.Max(fault => fault.At + fault.For);

    public override string ToString() => Faults.Count == 0 ? "no fault" : string.Join("; ", Faults);

    static List<Fault> Short(Random random)
    {
        List<Fault> faults = [];
        var count = 1 + random.Next(3);
        var serverHit = false;
        while (faults.Count < count)
        {
            var fault = Any(random, window: 4, wide: false);
            var isServer = fault.Kind is FaultKind.KillBroker or FaultKind.KillDatabase or FaultKind.Provider;
            if (isServer && serverHit || faults.Any(other => Collides(fault, other)))
                continue;
            serverHit |= isServer;
            faults.Add(fault);
        }

        return [.. faults.OrderBy(fault => fault.At)];
    }

    static List<Fault> Long(Random random)
    {
        List<Fault> faults = [];
        var count = 4 + random.Next(7);
        while (faults.Count < count)
        {
            var fault = Any(random, window: 30, wide: true);
            if (!faults.Any(other => Collides(fault, other)))
                faults.Add(fault);
        }

        return [.. faults.OrderBy(fault => fault.At)];
    }

    static Fault Any(Random random, double window, bool wide)
    {
        var at = Seconds(random, 0.3, window);
        var service = Services[random.Next(Services.Length)];
        // The gateway is where money is: it is hit twice as often as any other.
        if (random.Next(4) == 0)
            service = "LlmGateway";
        var instance = random.Next(2);
        var longest = wide ? 12 : 2.5;
        return random.Next(100) switch
        {
            < 28 => new Fault { At = at, Kind = FaultKind.Kill, Service = service, Instance = instance, For = Seconds(random, 0, wide ? 6 : 1.5) },
            < 42 => new Fault { At = at, Kind = FaultKind.Freeze, Service = service, Instance = instance, For = Seconds(random, 0.5, wide ? 40 : 4) },
            < 50 => new Fault { At = at, Kind = FaultKind.Terminate, Service = service, Instance = instance, For = Seconds(random, 0, 1) },
            < 55 => new Fault { At = at, Kind = FaultKind.KillBroker, Instance = wide ? random.Next(3) : 0, For = Seconds(random, 0, wide ? 5 : 1) },
            < 62 => new Fault { At = at, Kind = FaultKind.KillDatabase, For = Seconds(random, 0, wide ? 5 : 1.5) },
            < 84 => new Fault
            {
                At = at,
                Kind = (FaultKind)((int)FaultKind.Drop + random.Next(4)),
                Service = service,
                Instance = instance,
                Link = (Server)random.Next(service == "LlmGateway" ? 3 : 2),
                For = Seconds(random, 0.5, longest),
            },
            < 96 or _ when !wide => new Fault { At = TimeSpan.Zero, Kind = FaultKind.Provider, For = Seconds(random, 2, window), Knobs = Knobs(random) },
            < 93 => new Fault { At = at, Kind = FaultKind.Provider, For = Seconds(random, 2, longest), Knobs = Knobs(random) },
            < 98 => new Fault { At = at, Kind = FaultKind.Clock, Service = service, Instance = instance, For = Seconds(random, 5, 15), Offset = TimeSpan.FromSeconds(random.Next(2) == 0 ? -45 : 45) },
            _ => new Fault { At = at, Kind = FaultKind.DiskFull, For = Seconds(random, 2, 6) },
        };
    }

    static Dictionary<string, double> Knobs(Random random)
    {
        string[] names = ["p429", "p500", "p529", "pHang", "pTrunc", "pEmpty", "pReset", "pBadJson", "pLength", "pSlow"];
        return Enumerable.Range(0, 1 + random.Next(3)).Select(_ => names[random.Next(names.Length)]).Distinct(StringComparer.Ordinal)
            .ToDictionary(name => name, _ => Math.Round(0.03 + 0.12 * random.NextDouble(), 2), StringComparer.Ordinal);
    }

    /// <summary>Two faults that would undo each other: the same process twice at a time, or a process and the link it has not opened yet.</summary>
    static bool Collides(Fault one, Fault other)
    {
        if (one.Kind == FaultKind.Provider && other.Kind == FaultKind.Provider)
            return true;
        var sameServer = one.Service is null && other.Service is null && (one.Kind == other.Kind || Stops(one) && Stops(other));
        var sameProcess = one.Service is not null && one.Service == other.Service && one.Instance == other.Instance;
        // A restart takes some seconds more than planned.
        var apart = TimeSpan.FromSeconds(6);
        return (sameServer || sameProcess) && one.At < other.At + other.For + apart && other.At < one.At + one.For + apart;
    }

    static bool Stops(Fault fault) => fault.Kind is FaultKind.KillDatabase or FaultKind.DiskFull;

    /// <summary>The kinds of the kill matrix, in order of seed; further seeds begin again with other moments.</summary>
    public static readonly IReadOnlyList<string> MatrixRows =
        ["kill AuditSaga", "kill LlmGateway", "kill Analyzer", "kill Dashboard", "kill broker", "kill database", "freeze LlmGateway past its lease", "terminate LlmGateway"];

    static List<Fault> Matrix(int seed)
    {
        var row = (seed - 1) % MatrixRows.Count;
        var random = new Random(seed);
        return [.. Enumerable.Range(0, row == 6 ? 2 : 5).Select(number =>
        {
            // Five moments spread over the run, each somewhere in its own slot; a frozen gateway sleeps for longer than its lease of 10 s.
            var slot = row is 4 ? 14.0 : row is 6 ? 26.0 : 5.0;
            var at = TimeSpan.FromSeconds(0.5 + number * slot + random.NextDouble() * 2);
            return row switch
            {
                < 4 => new Fault { At = at, Kind = FaultKind.Kill, Service = Services[row], Instance = number % 2, For = TimeSpan.FromSeconds(0.2) },
                4 => new Fault { At = at, Kind = FaultKind.KillBroker, For = TimeSpan.FromSeconds(0.2) },
                5 => new Fault { At = at, Kind = FaultKind.KillDatabase, For = TimeSpan.FromSeconds(0.2 + random.NextDouble()) },
                6 => new Fault { At = at, Kind = FaultKind.Freeze, Service = "LlmGateway", Instance = number % 2, For = TimeSpan.FromSeconds(14) },
                _ => new Fault { At = at, Kind = FaultKind.Terminate, Service = "LlmGateway", Instance = number % 2, For = TimeSpan.FromSeconds(0.2) },
            };
        })];
    }

    static List<Fault> OfCrowd(Random random, Crowd crowd)
    {
        List<Fault> faults = [];
        for (var at = 2.0; at < crowd.KillsFor.TotalSeconds; at += crowd.Pace.TotalSeconds * (0.5 + random.NextDouble()))
        {
            var fault = new Fault { At = TimeSpan.FromSeconds(at), Kind = FaultKind.Kill, Service = Services[random.Next(4)], Instance = random.Next(crowd.Instances), For = Seconds(random, 0, 1) };
            if (!faults.Any(other => Collides(fault, other)))
                faults.Add(fault);
        }

        return faults;
    }

    static TimeSpan Seconds(Random random, double from, double to) => TimeSpan.FromMilliseconds(Math.Round(1000 * (from + (to - from) * random.NextDouble())));
}
