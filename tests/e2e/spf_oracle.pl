#!/usr/bin/perl
# Mail::SPF as an oracle: one JSON object a line in (ip, sender, helo, limits), one out (result, explanation, detail).
#
#   spf_oracle.pl 127.0.0.1 5300        all questions go to this DNS server
use strict;
use warnings;
use JSON::PP;
use Mail::SPF;
use Net::DNS;

my ($address, $port) = @ARGV;
my $resolver = Net::DNS::Resolver->new(config_file => '/dev/null');
$resolver->nameservers($address);
$resolver->port($port);
$resolver->udp_timeout(5);
$resolver->retry(2);
$resolver->retrans(2);
$resolver->persistent_udp(1);
$resolver->udppacketsize(65000);
$resolver->igntc(1);
$resolver->searchlist();
$resolver->defnames(0);
$resolver->dnsrch(0);

my %common = (dns_resolver => $resolver, hostname => 'receiver.test', default_authority_explanation => 'DEFAULT');
my $limited = Mail::SPF::Server->new(%common);
my $unlimited = Mail::SPF::Server->new(%common, map { $_ => undef }
  qw(max_dns_interactive_terms max_name_lookups_per_term max_name_lookups_per_mx_mech max_name_lookups_per_ptr_mech
     max_void_dns_lookups));
my $json = JSON::PP->new->ascii;

$| = 1;
while (my $line = <STDIN>) {
  my $in = $json->decode($line);
  my %out = (result => 'exception');
  eval {
    local $SIG{__WARN__} = sub { die "deep recursion\n" if $_[0] =~ /Deep recursion/ };
    local $SIG{ALRM} = sub { die "no end within 10 s\n" };
    alarm 10;
    my $request = Mail::SPF::Request->new(
      versions => [1], ip_address => $in->{ip}, helo_identity => $in->{helo},
      $in->{sender} eq '' ? (scope => 'helo', identity => $in->{helo}) : (scope => 'mfrom', identity => $in->{sender}));
    my $result = ($in->{limits} ? $limited : $unlimited)->process($request);
    $out{result} = $result->code;
    $out{detail} = '' . $result->text;
    $out{explanation} = '' . ($result->authority_explanation // '') if $result->code eq 'fail';
  };
  my $error = $@;
  alarm 0;
  if ($error) {
    $out{detail} = ref($error) ? ref($error) . ': ' . (eval { $error->text } // '') : "$error";
  }
  print $json->encode(\%out), "\n";
}
