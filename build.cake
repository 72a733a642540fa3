// ./build.sh [--target=Test] [--configuration=Release]   Targets: Clean, Build, UnitTest, Test (default), Chaos, Soak, Pack, Migration
using System.Xml.Linq;

var target = Argument("target", "Test");
var configuration = Argument("configuration", "Release");
(int Passed, int Failed, int Skipped)? outcome = null;
var results = MakeAbsolute(Directory("./artifacts/test-results"));

// What the servers' tests need, and how to get it where this script may not install it itself.
var servers = new[]
{
    (Name: "RabbitMQ 3.10 or later", Package: "rabbitmq-server", Found: GetFiles("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server").Count > 0),
    (Name: "PostgreSQL 15 or later", Package: "postgresql", Found: GetFiles("/usr/lib/postgresql/*/bin/postgres").Count > 0),
    (Name: "libfaketime (clocks that are wrong, in tests/Chaos)", Package: "libfaketime", Found: GetFiles("/usr/lib/*/faketime/libfaketimeMT.so.1").Count > 0),
    (Name: "Chromium", Package: "chromium", Found: FileExists("/usr/bin/chromium")),
};

// Nice to have: checks docker-compose.yml as an engine would. Without it the file's structure is still checked.
var composeFound = FileExists("/usr/bin/docker-compose");

Task("Clean").Does(() =>
{
    CleanDirectory("./artifacts");
    DotNetClean("./Assay.slnx", new DotNetCleanSettings { Configuration = configuration, Verbosity = DotNetVerbosity.Quiet });
});

Task("Build").Does(() => DotNetBuild("./Assay.slnx", new DotNetBuildSettings
{
    Configuration = configuration,
    Verbosity = DotNetVerbosity.Quiet,
    NoLogo = true,
    ArgumentCustomization = arguments => arguments.Append("-clp:Summary;ErrorsOnly"),
}));

Task("Servers").Does(() =>
{
    var mayInstall = FileExists("/etc/debian_version") && Environment.UserName == "root";
    var missing = servers.Where(server => !server.Found).ToList();
    var packages = string.Join(' ', missing.Select(server => server.Package));
    if (missing.Count > 0 && mayInstall)
    {
        Information($"Installing {packages} (private copies are started by the tests; no service is enabled)");
        Run("sh", $"build/install-servers.sh {packages}");
    }

    if (!composeFound && mayInstall && StartProcess("sh", "build/install-servers.sh docker-compose") != 0)
        Warning("docker-compose cannot be installed: docker-compose.yml is checked by its structure only.");
    if (missing.Count == 0 || mayInstall)
        return;

    throw new CakeException($"Missing: {string.Join(", ", missing.Select(server => server.Name))}. Install them (Debian: apt-get install {packages}), "
        + "or run ./build.sh --target=UnitTest, which needs no servers.");
});

Task("UnitTest").Description("Every test that needs no server").IsDependentOn("Build").Does(() => RunTests("Servers", "Browser"));

Task("Test").Description("Every test").IsDependentOn("Build").IsDependentOn("Servers").Does(() => RunTests());

Task("Chaos").Description("--profile=short|long|matrix|crowd --seeds=1-200 [--again] [--minutes=N] [--worlds=N] [--gateways=N] [--audits=N] [--kills=SECONDS] [--instances=N] [--pace=SECONDS]: faults by seed; rows are appended to artifacts/chaos, and a seed that has one is not run again")
    .IsDependentOn("Build").IsDependentOn("Servers").Does(() => Chaos(Argument("profile", "short"), Argument("seeds", ""), HasArgument("again"), Argument("minutes", ""), "worlds", "gateways", "audits", "kills", "instances", "pace"));

Task("Soak").Description("--hours=8: new seeds of the short and the long profile in turn, until the time is up")
    .IsDependentOn("Build").IsDependentOn("Servers").Does(() =>
{
    var until = DateTime.UtcNow.AddHours(Argument("hours", 8.0));
    for (var round = 0; DateTime.UtcNow < until; round++)
    {
        var left = (until - DateTime.UtcNow).TotalMinutes.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Chaos("short", $"{1000 + 50 * round}-{1049 + 50 * round}", again: false, left);
        Chaos("long", $"{1000 + 5 * round}-{1004 + 5 * round}", again: false, left);
    }
});

Task("Pack").IsDependentOn("Build").Does(() => DotNetPack("./contracts/Contracts/Contracts.csproj", new DotNetPackSettings
{
    Configuration = configuration,
    NoBuild = true,
    OutputDirectory = "./artifacts/packages",
    NoLogo = true,
}));

Task("Migration").Description("--service=AuditSaga --name=AddTombstones: writes the next migration for both databases").Does(() =>
    DotNetRun("./build/Migrations/Migrations.csproj", new ProcessArgumentBuilder().Append(Argument<string>("service")).Append(Argument<string>("name")).Append(".")));

RunTarget(target);

// Last of all, below Cake's own table: the line that a build server reads.
if (outcome is { } sum)
{
    Console.WriteLine(sum.Skipped > 0 ? $"{sum.Passed} passed, {sum.Failed} failed, {sum.Skipped} skipped" : $"{sum.Passed} passed, {sum.Failed} failed");
    if (sum.Failed > 0 || sum.Passed == 0)
        Environment.Exit(1);
}

void Run(string program, string arguments)
{
    if (StartProcess(program, new ProcessSettings { Arguments = arguments }) is not 0 and var exitCode)
        throw new CakeException($"{program} {arguments} ended with {exitCode}.");
}

void Chaos(string profile, string seeds, bool again, string minutes, params string[] more)
{
    var arguments = $"tests/Chaos/bin/{configuration}/net10.0/Assay.Chaos.dll --profile={profile}"
        + (seeds.Length > 0 ? $" --seeds={seeds}" : "") + (again ? " --again" : "") + (minutes.Length > 0 ? $" --minutes={minutes}" : "")
        + string.Concat(more.Where(HasArgument).Select(name => $" --{name}={Argument<string>(name)}"));
    Run("dotnet", arguments);
}

// xunit prints no line a build can count on, so the results files are summed.
void RunTests(params string[] withoutNeeds)
{
    EnsureDirectoryExists(results);
    CleanDirectory(results);
    var without = withoutNeeds.ToList();
    var skipped = 0;
    var failedProjects = new List<string>();
    var projects = GetFiles("./tests/**/*.csproj").OrderBy(project => project.FullPath)
        .Where(project => !XDocument.Load(project.FullPath).Descendants("IsTestProject").Any(property => property.Value == "false")).ToList();

    // Recorded answers and the fake provider live beside the repository. On a build server their absence is an error; elsewhere it is counted.
    if (!DirectoryExists("../shared") && EnvironmentVariable("CI") != "true")
    {
        Warning("../shared is not there: tests that need its recorded answers or its fake provider are skipped and counted below.");
        skipped = projects.Sum(project => ListTests(project, "Needs=Shared"));
        without.Add("Shared");
    }

    var filter = string.Join('&', without.Select(need => $"Needs!={need}"));
    foreach (var project in projects)
    {
        var name = project.GetFilenameWithoutExtension().ToString();
        var arguments = TestArguments(project, filter)
            .Append("--logger").AppendQuoted($"trx;LogFileName={name}.trx")
            .Append("--logger").AppendQuoted("console;verbosity=minimal")
            .Append("--results-directory").AppendQuoted(results.FullPath);
        if (StartProcess("dotnet", new ProcessSettings { Arguments = arguments }) != 0)
            failedProjects.Add(name);
    }

    var files = GetFiles(results.FullPath + "/*.trx").Select(file => XDocument.Load(file.FullPath)).ToList();
    var counters = files.Select(file => file.Descendants().Single(element => element.Name.LocalName == "Counters")).ToList();
    int Sum(string attribute) => counters.Sum(counter => (int?)counter.Attribute(attribute) ?? 0);
    var failed = Sum("failed") + Sum("error") + Sum("timeout") + Sum("aborted");
    if (failedProjects.Count > 0)
        Error($"Failed in: {string.Join(", ", failedProjects)}");

    // Said again at the end: of a long output a build server may show the last lines only.
    foreach (var test in files.SelectMany(file => file.Descendants()).Where(element => element.Name.LocalName == "UnitTestResult" && (string)element.Attribute("outcome") == "Failed"))
    {
        var message = test.Descendants().FirstOrDefault(element => element.Name.LocalName == "Message")?.Value ?? "It gave no message.";
        Error($"{test.Attribute("testName")?.Value}\n    {string.Join("\n    ", message.Split('\n').Take(12).Select(line => line.Length > 400 ? line[..400] + "…" : line))}");
    }

    // A project that died wrote no results; that is a failure too.
    outcome = (Sum("passed"), Math.Max(failed, failedProjects.Count), skipped + Sum("total") - Sum("executed"));
}

ProcessArgumentBuilder TestArguments(FilePath project, string filter)
{
    var arguments = new ProcessArgumentBuilder().Append("test").AppendQuoted(project.FullPath).Append("--no-build").Append("--nologo").Append("-c").Append(configuration);
    return filter.Length == 0 ? arguments : arguments.Append("--filter").AppendQuoted(filter);
}

int ListTests(FilePath project, string filter)
{
    StartProcess("dotnet", new ProcessSettings { Arguments = TestArguments(project, filter).Append("--list-tests"), RedirectStandardOutput = true }, out var lines);
    return lines.Count(line => line.StartsWith("    ", StringComparison.Ordinal));
}
