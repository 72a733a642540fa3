using System.Globalization;
using Assay.Chaos;

// --profile=short|long|matrix|crowd  --seeds=1-200 | 17 | 3,5,9  --again  --minutes=N  --worlds=N (side by side)  --gateways=1 (one, which owns what it is asked)  --folder=DIR  --plan (prints, does nothing)
// of a crowd: --audits=1000  --kills=300 (seconds)  --instances=2  --pace=6 (seconds from kill to kill)
var options = args.Select(argument => argument.TrimStart('-').Split('=', 2)).ToDictionary(pair => pair[0], pair => pair.Length > 1 ? pair[1] : "true", StringComparer.OrdinalIgnoreCase);
var profile = Enum.Parse<Profile>(options.GetValueOrDefault("profile", "short"), ignoreCase: true);
var seeds = options.GetValueOrDefault("seeds", profile switch { Profile.Short => "1-200", Profile.Long => "1-20", Profile.Matrix => "1-8", _ => "1" })
    .Split(',').SelectMany(part => part.Split('-') is [var from, var to] ? Enumerable.Range(Number(from), Number(to) - Number(from) + 1) : [Number(part)]);
var until = options.TryGetValue("minutes", out var minutes) ? DateTime.UtcNow.AddMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)) : DateTime.MaxValue;
var crowd = new Crowd(Option("audits", Crowd.Whole.Audits), TimeSpan.FromSeconds(Option("kills", (int)Crowd.Whole.KillsFor.TotalSeconds)), Option("instances", Crowd.Whole.Instances), TimeSpan.FromSeconds(Option("pace", (int)Crowd.Whole.Pace.TotalSeconds)));
if (options.ContainsKey("plan"))
{
    foreach (var seed in seeds)
        Console.WriteLine($"{seed}: {FaultPlan.Of(profile, seed, crowd)}");
    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, interrupt) =>
{
    interrupt.Cancel = true;
    stop.Cancel();
};
var run = new ChaosRun(profile, Path.GetFullPath(options.GetValueOrDefault("folder", "artifacts/chaos")), Console.Out, crowd, Option("worlds", 1), options.ContainsKey("gateways") ? Option("gateways", 0) : null);
var rows = await run.RunAsync(seeds, options.ContainsKey("again"), until, stop.Token);
Console.WriteLine(Table.Sum(rows));
return rows.All(row => row.Holds) ? 0 : 1;

int Option(string name, int otherwise) => options.TryGetValue(name, out var text) ? Number(text) : otherwise;
static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
