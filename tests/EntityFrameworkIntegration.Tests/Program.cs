using Assay.EntityFrameworkIntegration.Tests.Benchmarks;
using Assay.EntityFrameworkIntegration.Tests.Crashes;

// The test runner loads this assembly as a library. Started as a process it is the order service that the crash tests kill, or, with
// the argument "benchmark", measures: dotnet run -c Release --project tests/EntityFrameworkIntegration.Tests -- benchmark
return args is ["benchmark", ..] ? await DeliveryBenchmark.RunAsync() : await CrashHost.RunAsync(args);
