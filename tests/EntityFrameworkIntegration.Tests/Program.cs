using Assay.EntityFrameworkIntegration.Tests.Benchmarks;
using Assay.EntityFrameworkIntegration.Tests.Crashes;

// The test runner loads this assembly as a library. Started as a process it is the order service that the crash tests kill, or, with
// the argument "servers", the test host whose servers must not outlive it. With "benchmark" it measures: dotnet run -c Release --project tests/EntityFrameworkIntegration.Tests -- benchmark [consume|idle]
return args switch
{
    ["benchmark"] => await DeliveryBenchmark.RunAsync(),
    ["benchmark", "idle"] => await IdleBenchmark.RunAsync(),
    ["benchmark", "consume", .. var rounds] => await ConsumeBenchmark.RunAsync(rounds.Length > 0 ? int.Parse(rounds[0], System.Globalization.CultureInfo.InvariantCulture) : 5),
    ["servers"] => await ServerOwner.RunAsync(),
    _ => await CrashHost.RunAsync(args),
};
